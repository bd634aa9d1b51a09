import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import type { metricsText } from "../../Domain/metrics/MetricsText.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { writeMetrics } from "../../Layers/metrics/MetricsFile.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { sayJson } from "../Answer.ts"
import { granted } from "../Refused.ts"

/** `autopilotd metrics`: what a scrape sees, once. `textOf` comes from a bundle of its own. */
export const metrics = Effect.fnUntraced(function* (invocation: Invocation, textOf: typeof metricsText) {
  const { options } = invocation
  const { request } = yield* ControlClient
  const { file } = yield* CommandOutput
  const isOpenMetrics = options.openMetrics === true
  const wantsJson = options.json === true
  const { output } = options

  const put = (text: string) =>
    output === undefined ? (wantsJson ? Effect.void : file(text)) : writeMetrics(output, text)

  const reply = yield* request({ type: "Metrics" }).pipe(
    Effect.catchIf(
      // A daemon that hangs is as good as none for whoever reads the metrics.
      ({ _tag }) => _tag === "NotRunning" || _tag === "ControlTimeout",
      (error) =>
        Effect.zipRight(
          put(textOf(undefined, isOpenMetrics)),
          output === undefined || wantsJson ? Effect.fail(error) : Effect.succeed(undefined)
        )
    )
  )
  if (reply === undefined) return
  const data = yield* granted(reply)
  yield* put(textOf(data, isOpenMetrics))
  if (wantsJson) yield* sayJson(invocation.verb, { success: true, message: reply.message, data })
})
