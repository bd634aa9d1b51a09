import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { ReplyTo } from "../../Domain/control/ControlProtocol.ts"
import { daemonUnit, panelUnit, type ServiceUnit } from "../../Domain/service/ServiceUnit.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { DaemonDidNotStart, errorIn } from "../../Layers/daemon/BackgroundStart.ts"
import { runningPanel } from "../../Layers/panel/PanelLink.ts"
import { ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { UserManager } from "../../Layers/service/UserManager.ts"
import { version } from "../Version.ts"

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

/** Explains why a service did not start: its error in the journal, else the last lines of the daemon's log. */
const explainFailure = Effect.fnUntraced(function* (unit: ServiceUnit, sinceMs: number, otherwise: string) {
  const { journal } = yield* UserManager
  const { lastLines } = yield* ServiceFiles
  const { logDir } = yield* AutopilotHome
  const lines = yield* journal(unit.name, sinceMs).pipe(
    Effect.filterOrFail((lines) => lines.length > 0),
    Effect.retry(Schedule.upTo(Schedule.spaced("100 millis"), journalDelay)),
    Effect.orElseSucceed((): ReadonlyArray<string> => [])
  )
  if (lines.length > 0) return errorIn(lines.join("\n")).split("\n").slice(-shownLines).join("\n")
  const log = `${logDir}/autopilotd.log`
  const logged = unit === daemonUnit ? yield* lastLines(log, shownLines) : []
  const more = `See: journalctl --user -u ${unit.name}`
  return logged.length === 0
    ? `${otherwise} ${more}`
    : [`${otherwise} ${more}`, `The last lines of ${log}:`, ...logged].join("\n")
})

/** Waits until a service answers. Fails with its error. */
const awaited = <A, E, R>(
  unit: ServiceUnit,
  sinceMs: number,
  running: Effect.Effect<A, E | NoAnswerYet, R>
) =>
  running.pipe(
    Effect.retry({
      schedule: Schedule.upTo(Schedule.spaced("50 millis"), answerLimit),
      while: (failure) => failure instanceof NoAnswerYet && !failure.hasEnded
    }),
    Effect.catchIf(
      (failure): failure is NoAnswerYet => failure instanceof NoAnswerYet,
      ({ hasEnded }) =>
        Effect.flatMap(
          explainFailure(
            unit,
            sinceMs,
            `${unit.name} was started, but ${unit.runs} ${hasEnded ? "has exited" : "does not answer"}.`
          ),
          (told) => new DaemonDidNotStart({ told })
        )
    )
  )

/** Waits until the daemon of the service answers. Fails with its error. */
export const awaitService = (sinceMs: number) => awaited(daemonUnit, sinceMs, runningService)

/** Has systemd start a unit, or restart it. A start by the user clears systemd's start limit. */
const startUnit = Effect.fnUntraced(function* (
  service: ServiceUnit,
  sinceMs: number,
  verb: "start" | "restart"
) {
  const { systemctl, unit } = yield* UserManager
  const { active, sub } = yield* unit(service.name)
  if (active === "failed" || sub === "auto-restart") {
    // systemd ignores a start while it waits for its own next one.
    yield* systemctl("stop", service.name)
    yield* Effect.ignore(systemctl("reset-failed", service.name))
  }
  yield* Effect.catchTag(systemctl(verb, service.name), "SystemctlFailed", ({ message }) =>
    Effect.flatMap(explainFailure(service, sinceMs, message), (told) => new DaemonDidNotStart({ told }))
  )
})

/** Starts the service and returns when its daemon answers. Fails with the daemon's own error. */
export const startService = Effect.gen(function* () {
  const sinceMs = yield* Clock.currentTimeMillis
  yield* startUnit(daemonUnit, sinceMs, "start")
  return yield* awaitService(sinceMs)
})

/** The panel of this home, if it is the main process of the service. */
const servedPanel = Effect.gen(function* () {
  const { unit } = yield* UserManager
  const { active, mainPid, sub } = yield* unit(panelUnit.name)
  const panel = yield* runningPanel
  if (panel !== undefined && panel.pid === mainPid) return panel
  return yield* new NoAnswerYet({
    hasEnded: active === "failed" || active === "inactive" || sub === "auto-restart"
  })
})

/** Starts the panel's service and returns when it answers. One that runs goes on if it is current: it keeps its link. */
export const startPanelService = Effect.fnUntraced(function* ({
  isChanged
}: {
  readonly isChanged: boolean
}) {
  const sinceMs = yield* Clock.currentTimeMillis
  const before = yield* Effect.option(servedPanel)
  if (!isChanged && Option.isSome(before) && before.value.version === version)
    return { ...before.value, isStarted: false }
  yield* startUnit(panelUnit, sinceMs, "restart")
  return { ...(yield* awaited(panelUnit, sinceMs, servedPanel)), isStarted: true }
})
