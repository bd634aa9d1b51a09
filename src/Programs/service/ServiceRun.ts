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

/** The running service, whose main process is the daemon of this home. */
export interface RunningService {
  readonly pid: number
  readonly status: ReplyTo<"Status">
}

/** The status of this home's daemon; undefined when none is running. */
export const ownStatus = Effect.gen(function* () {
  const { request } = yield* ControlClient
  return yield* request({ type: "Status" })
}).pipe(Effect.catchTag("NotRunning", () => Effect.succeed<ReplyTo<"Status"> | undefined>(undefined)))

/** A started unit answers at once, but for a very busy machine. */
const answerLimit = "20 seconds"

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

/** The journal receives the last lines of a process after its exit. */
const journalDelay = "2 seconds"

const shownLines = 10

/** Explains why the service did not start: its error in the journal, else the last lines of its log. */
const explainFailure = Effect.fnUntraced(function* (sinceMs: number, otherwise: string) {
  const { journal } = yield* UserManager
  const { lastLines } = yield* ServiceFiles
  const { logDir } = yield* AutopilotHome
  const lines = yield* journal(daemonUnit.name, sinceMs).pipe(
    Effect.filterOrFail((lines) => lines.length > 0),
    Effect.retry(Schedule.upTo(Schedule.spaced("100 millis"), journalDelay)),
    Effect.orElseSucceed((): ReadonlyArray<string> => [])
  )
  if (lines.length > 0) return errorIn(lines.join("\n")).split("\n").slice(-shownLines).join("\n")
  const log = `${logDir}/autopilotd.log`
  const logged = yield* lastLines(log, shownLines)
  const more = `See: journalctl --user -u ${daemonUnit.name}`
  return logged.length === 0
    ? `${otherwise} ${more}`
    : [`${otherwise} ${more}`, `The last lines of ${log}:`, ...logged].join("\n")
})

/** Waits until the service answers. Fails with its error. */
export const awaitService = (sinceMs: number) =>
  runningService.pipe(
    Effect.retry({
      schedule: Schedule.upTo(Schedule.spaced("50 millis"), answerLimit),
      while: (failure) => failure._tag === "NoAnswerYet" && !failure.hasEnded
    }),
    Effect.catchTag("NoAnswerYet", ({ hasEnded }) =>
      Effect.flatMap(
        explainFailure(
          sinceMs,
          `${daemonUnit.name} was started, but its daemon ${hasEnded ? "has exited" : "does not answer"}.`
        ),
        (told) => new DaemonDidNotStart({ told })
      )
    )
  )

/**
 * Starts the service and returns when its daemon answers. Fails with the daemon's own error. A start by the user clears
 * systemd's start limit.
 */
export const startService = Effect.gen(function* () {
  const { systemctl, unit } = yield* UserManager
  const sinceMs = yield* Clock.currentTimeMillis
  const { active, sub } = yield* unit(daemonUnit.name)
  if (active === "failed" || sub === "auto-restart") {
    // systemd ignores a start while it waits for its own next one.
    yield* systemctl("stop", daemonUnit.name)
    yield* Effect.ignore(systemctl("reset-failed", daemonUnit.name))
  }
  yield* Effect.catchTag(systemctl("start", daemonUnit.name), "SystemctlFailed", ({ message }) =>
    Effect.flatMap(explainFailure(sinceMs, message), (told) => new DaemonDidNotStart({ told }))
  )
  return yield* awaitService(sinceMs)
})
