import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { ReplyTo } from "../../Domain/control/ControlProtocol.ts"
import { daemonUnit } from "../../Domain/service/ServiceUnit.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { DaemonDidNotStart, errorIn } from "../../Layers/daemon/BackgroundStart.ts"
import { ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { UserManager } from "../../Layers/service/UserManager.ts"

/** The service runs, and the daemon of this home is its main process. */
export interface RunningService {
  readonly pid: number
  readonly status: ReplyTo<"Status">
}

/** What the daemon of this home says of itself; undefined when none is running. */
export const ownStatus = Effect.gen(function* () {
  const { request } = yield* ControlClient
  return yield* request({ type: "Status" })
}).pipe(Effect.catchTag("NotRunning", () => Effect.succeed<ReplyTo<"Status"> | undefined>(undefined)))

/** A daemon that its unit calls started can be asked. Only a machine that is very busy takes longer. */
const patience = "20 seconds"

/** The service does not answer, and may do so later only when it has not ended. */
class NoAnswerYet extends Data.TaggedError("NoAnswerYet")<{ readonly hasEnded: boolean }> {}

const runningService = Effect.gen(function* () {
  const { unit } = yield* UserManager
  const { active, mainPid, sub } = yield* unit(daemonUnit.name)
  const hasEnded = active === "failed" || active === "inactive" || sub === "auto-restart"
  const notYet = new NoAnswerYet({ hasEnded })
  const status = yield* Effect.catchTag(ownStatus, "ControlTimeout", () => notYet)
  if (mainPid === undefined || status?.data?.daemon_pid !== mainPid) return yield* notYet
  return { pid: mainPid, status } satisfies RunningService
})

/** The journal takes in what a process has said last when that is already gone. */
const journalPatience = "2 seconds"

const shownLines = 10

/** What a service that has not started has said since then: its error, else its last lines. */
const lastWords = Effect.fnUntraced(function* (sinceMs: number, otherwise: string) {
  const { said } = yield* UserManager
  const { lastLines } = yield* ServiceFiles
  const { logDir } = yield* AutopilotHome
  const lines = yield* said(daemonUnit.name, sinceMs).pipe(
    Effect.filterOrFail((heard) => heard.length > 0),
    Effect.retry(Schedule.upTo(Schedule.spaced("100 millis"), journalPatience)),
    Effect.orElseSucceed((): ReadonlyArray<string> => [])
  )
  if (lines.length > 0) return errorIn(lines.join("\n")).split("\n").slice(-shownLines).join("\n")
  const log = `${logDir}/autopilotd.log`
  const logged = yield* lastLines(log, shownLines)
  const more = `See: journalctl --user -u ${daemonUnit.name}`
  return logged.length === 0
    ? `${otherwise} ${more}`
    : [`${otherwise} ${more}`, `Its log, ${log}, ends with:`, ...logged].join("\n")
})

/** The service runs and answers; fails with what it says instead. */
export const awaitService = (sinceMs: number) =>
  runningService.pipe(
    Effect.retry({
      schedule: Schedule.upTo(Schedule.spaced("50 millis"), patience),
      while: (failure) => failure._tag === "NoAnswerYet" && !failure.hasEnded
    }),
    Effect.catchTag("NoAnswerYet", ({ hasEnded }) =>
      Effect.flatMap(
        lastWords(
          sinceMs,
          `${daemonUnit.name} was started, but its daemon ${hasEnded ? "has ended" : "does not answer"}.`
        ),
        (told) => new DaemonDidNotStart({ told })
      )
    )
  )

/**
 * Starts the service and returns when its daemon answers; fails with the daemon's own error. A service that has failed
 * too often may be started again: it is a person who asks for it.
 */
export const startService = Effect.gen(function* () {
  const { tell, unit } = yield* UserManager
  const sinceMs = yield* Clock.currentTimeMillis
  const { active, sub } = yield* unit(daemonUnit.name)
  if (active === "failed" || sub === "auto-restart") {
    // A start while systemd waits for its own next try comes to nothing.
    yield* tell("stop", daemonUnit.name)
    yield* Effect.ignore(tell("reset-failed", daemonUnit.name))
  }
  yield* Effect.catchTag(tell("start", daemonUnit.name), "ToldInVain", ({ message }) =>
    Effect.flatMap(lastWords(sinceMs, message), (told) => new DaemonDidNotStart({ told }))
  )
  return yield* awaitService(sinceMs)
})
