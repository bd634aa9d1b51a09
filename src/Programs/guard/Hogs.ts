import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { hogsText } from "../../Domain/guard/HogsText.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { granted } from "../Refused.ts"

/** `autopilotd hogs`: lists the processes that the daemon would kill if memory were low, and why not the others. */
export const hogs = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { request } = yield* ControlClient
  const { columns, out } = yield* CommandOutput
  const reply = yield* request({ type: "Hogs" })
  const data = yield* granted(reply)
  yield* out(options.json ? `${JSON.stringify(reply)}\n` : hogsText(data, options.long ? undefined : columns))
})
