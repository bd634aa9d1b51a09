import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { statusText } from "../../Domain/status/StatusText.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { conclude, granted } from "../Refused.ts"

/** `autopilotd status`: shows a worker's state, its reason, and what comes next. */
export const status = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { request } = yield* ControlClient
  const { colour, out } = yield* CommandOutput
  const reply = yield* request({
    type: "Status",
    ...(options.project === undefined ? {} : { project: options.project })
  })
  if (options.json) return yield* conclude(reply, true)
  yield* out(statusText(yield* granted(reply), { nowMs: yield* Clock.currentTimeMillis, colour }))
})
