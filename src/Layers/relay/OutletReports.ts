import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { OutletCount } from "../../Domain/metrics/RelayMetrics.ts"
import { type OutletCounts, withAttempt } from "../../Domain/relay/OutletCounts.ts"
import { type RelayReport, reportLine } from "../../Domain/relay/RelayReport.ts"
import { localTime } from "../../Domain/text/LocalTime.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { localZone } from "../machine/TimeZone.ts"
import { CommandOutput } from "../output/CommandOutput.ts"

/** Tells whether the outlets of the relay work, each change once, and counts each attempt. */
export class OutletReports extends Context.Tag("OutletReports")<
  OutletReports,
  {
    readonly works: (outlet: string) => Effect.Effect<void>
    /** `problem` is a clause without its full stop. It has no secret in it. */
    readonly fails: (outlet: string, problem: string) => Effect.Effect<void>
    /** The attempts so far. */
    readonly counts: Effect.Effect<OutletCounts>
  }
>() {}

const telling = Effect.fnUntraced(function* (tell: (report: RelayReport) => Effect.Effect<void>) {
  const sinceMs = yield* Clock.currentTimeMillis
  const known = new Map<string, boolean>()
  const byOutlet = new Map<string, OutletCount>()
  const change = (isWorking: boolean, report: RelayReport) =>
    Effect.suspend(() => {
      byOutlet.set(report.outlet, withAttempt(byOutlet.get(report.outlet), isWorking))
      if (known.get(report.outlet) === isWorking) return Effect.void
      known.set(report.outlet, isWorking)
      return tell(report)
    })
  return OutletReports.of({
    works: (outlet) => change(true, { outlet }),
    fails: (outlet, problem) => change(false, { outlet, problem }),
    counts: Effect.sync(() => ({ sinceMs, byOutlet: new Map(byOutlet) }))
  })
})

/** Tells the daemon, which has started this relay and reads its standard output. */
export const toDaemon: Layer.Layer<OutletReports, never, CommandOutput> = Layer.effect(
  OutletReports,
  Effect.flatMap(CommandOutput, ({ file }) => telling((report) => file(reportLine(report))))
)

/** Tells the user at the terminal. */
export const toTerminal: Layer.Layer<OutletReports, never, CommandOutput> = Layer.effect(
  OutletReports,
  Effect.gen(function* () {
    const { out } = yield* CommandOutput
    const zone = yield* localZone
    return yield* telling(({ outlet, problem }) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        out(
          `${localTime(nowMs, zone)} ${outlet}: ${problem === undefined ? "works" : `fails: ${printable(problem)}`}\n`
        )
      )
    )
  })
)
