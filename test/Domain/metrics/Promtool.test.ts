import { execFileSync } from "node:child_process"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { metricsText } from "../../../src/Domain/metrics/MetricsText.ts"
import { metricsAnswer } from "../../../src/Domain/relay/EndpointAnswer.ts"
import { initial } from "../../../src/Domain/worker/WorkerState.ts"
import { measured, metricsOf, phases, running } from "../../fixtures/Measurements.ts"
import { noProgram, unlessMissing } from "../../fixtures/Missing.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"

const everyState = Object.values(phases).map((phase) => ({ state: { ...initial, phase } }))

const agent = agentAfter(recordedLines("claude-2.1.332/subagent"))

describe("promtool", () => {
  unlessMissing(noProgram("promtool", "prometheus"))(
    "finds nothing wrong in the metrics: in every state, without a daemon, with 0, 1 and 50 projects, with hostile names",
    () =>
      Effect.sync(() => {
        const ofRelay = {
          sinceMs: 0,
          channels: [{ channel: "phone", worked: 2, failed: 1 }],
          exports: { worked: 1, failed: 0 }
        }
        const texts = [
          metricsAnswer(metricsOf([measured("shop")]), ofRelay, 12, undefined).body,
          metricsText(undefined, false),
          metricsText(metricsOf([]), false),
          metricsText(metricsOf([measured("shop", running(agent))]), false),
          metricsText(
            metricsOf(
              Array.from({ length: 50 }, (_, at) =>
                measured(`project-${at}`, at % 8 === 7 ? running(agent) : (everyState[at % 8] ?? {}))
              ),
              undefined,
              ["relay", 'a "quoted"\nname', "\\", "\ud800"]
            ),
            false
          )
        ]
        for (const input of texts)
          assert.strictEqual(
            execFileSync("promtool", ["check", "metrics"], { input, encoding: "utf8" }),
            "",
            input
          )
      })
  )
})
