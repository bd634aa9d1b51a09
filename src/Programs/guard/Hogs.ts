import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { hogsText } from "../../Domain/guard/HogsText.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { sayDone } from "../Answer.ts"
import { granted } from "../Refused.ts"

/** `autopilotd hogs`: lists the processes that the daemon would kill if memory were low, and why not the others. */
export const hogs = Effect.fnUntraced(function* (invocation: Invocation) {
  const { request } = yield* ControlClient
  const { options } = invocation
  const { columns } = yield* CommandOutput
  const reply = yield* request({ type: "Hogs" })
  const data = yield* granted(reply)
  yield* sayDone(
    invocation,
    { message: reply.message, data },
    hogsText(data, options.long ? undefined : columns)
  )
})
