import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { exitCodeOfStop, outcomeCodes } from "../../Domain/cli/ExitCodes.ts"
import { ServiceMessage } from "../../Domain/systemd/ServiceMessage.ts"
import { stopTimeoutShort } from "../../Domain/systemd/StopTimeout.ts"
import { leftBehind } from "../../Domain/tree/Survivor.ts"
import { type AllEnded, allEnded } from "../../Domain/worker/Outcome.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { ClosingLimit, closingLimitS } from "../../Layers/daemon/ClosingLimit.ts"
import { HomeChanges } from "../../Layers/daemon/HomeChanges.ts"
import { InstanceLock } from "../../Layers/daemon/InstanceLock.ts"
import { ShutdownRequest } from "../../Layers/daemon/ShutdownRequest.ts"
import { Signals } from "../../Layers/daemon/Signals.ts"
import { Uncaught } from "../../Layers/daemon/Uncaught.ts"
import { Concerns } from "../../Layers/history/Concerns.ts"
import { DaemonEvents } from "../../Layers/history/DaemonEvents.ts"
import * as TerminationLog from "../../Layers/status/TerminationLog.ts"
import type { TerminationLogFile } from "../../Layers/status/TerminationLogFile.ts"
import { OwnUnit } from "../../Layers/systemd/OwnUnit.ts"
import { ServiceNotifier } from "../../Layers/systemd/ServiceNotifier.ts"
import { Supervisor } from "../../Layers/worker/Supervisor.ts"
import { version } from "../Version.ts"

/** Turns signals into shutdown requests. A closed terminal is only an event. */
const handleSignals = Effect.gen(function* () {
  const signals = yield* Signals
  const shutdown = yield* ShutdownRequest
  const events = yield* DaemonEvents
  for (;;) {
    const event = yield* signals.next
    yield* event._tag === "Signal" ? shutdown.ask(event.name) : events.publish({ _tag: "TerminalClosed" })
  }
})

/** One look for all changes of this time. */
const gatherTime = Duration.seconds(2)

/** Checks after each change that the home is still this daemon's, and makes again what was removed from it. */
const keepHome = Effect.gen(function* () {
  const { holds } = yield* InstanceLock
  const changed = yield* (yield* HomeChanges).subscribe
  for (;;) {
    if (yield* changed) yield* Effect.sleep(gatherTime)
    yield* holds
  }
}).pipe(Effect.scoped)

const reportHome = Effect.gen(function* () {
  const { news } = yield* InstanceLock
  const { publish } = yield* DaemonEvents
  return yield* Effect.forever(Effect.flatMap(news, publish))
})

/** Cuts grace periods short at each further request during the shutdown. */
const hasten = Effect.gen(function* () {
  const { next } = yield* ShutdownRequest
  const { publish } = yield* DaemonEvents
  const { drain } = yield* Supervisor
  for (;;) {
    const { by } = yield* next
    yield* publish({ _tag: "DaemonHastened", by })
    yield* Effect.fork(drain)
  }
})

const extensionInterval = Duration.seconds(5)
const extensionMs = 20_000

/** Extends the unit's TimeoutStopSec= as long as the shutdown lasts. */
const extendStopTimeout = Effect.gen(function* () {
  const { channel, send } = yield* ServiceNotifier
  if (channel === undefined) return yield* Effect.never
  for (;;) {
    yield* send(ServiceMessage.ExtendTimeout({ forMs: extensionMs }))
    yield* Effect.sleep(extensionInterval)
  }
})

/** Warns when systemd may nevertheless kill workers within their grace period. */
const warnOfStopTimeout = Effect.gen(function* () {
  const { channel } = yield* ServiceNotifier
  const unit = yield* (yield* OwnUnit).facts
  const snapshots = yield* (yield* Supervisor).snapshots
  const short = stopTimeoutShort(
    unit,
    channel,
    snapshots.map(({ plan }) => plan.graceMs)
  )
  if (short !== undefined) yield* (yield* DaemonEvents).publish(short)
})

const finishInterval = Duration.millis(500)

/**
 * Returns the outcome once the work of all workers has ended. It must be so twice in a row, because a project that was
 * removed and added again is not among the others for a moment.
 */
const allWork = Effect.gen(function* () {
  const { snapshots } = yield* Supervisor
  for (let before: AllEnded | undefined; ; ) {
    const now = allEnded(yield* snapshots)
    if (now !== undefined && now.because === before?.because) return now
    before = now
    yield* Effect.sleep(finishInterval)
  }
})

/** Bounds the closing of the layers, which follows. */
const limitClosing = Effect.fnUntraced(function* (code: number) {
  const { begin } = yield* ClosingLimit
  const { running } = yield* Concerns
  const report = Effect.suspend(() =>
    Effect.logError(
      `The shutdown hangs: not everything has ended within ${closingLimitS} s after the last worker. This is a bug in autopilotd, ` +
        `and the daemon exits now. Concerns that still run: ${running().join(", ") || "none"}.`
    )
  )
  yield* begin(code, report)
})

interface LifecycleOptions {
  /** Ends the daemon once the work of all workers has ended. */
  readonly exitWhenFinished: boolean
  readonly terminationLog: TerminationLogFile | undefined
}

/**
 * Runs until a shutdown request or a fatal bug, or the end of all work, then stops all workers while socket, history and
 * log are still open, and bounds their closing. Returns the exit code: 0 after a clean shutdown, 1 after a bug or when a
 * process survived. While all work is awaited: that of the outcome, or that of a stop before it.
 */
export const supervise = Effect.fnUntraced(function* (options: LifecycleOptions) {
  const { beyondHelp, run } = yield* Concerns
  const { publish } = yield* DaemonEvents
  const { begin, drain } = yield* Supervisor
  const { next } = yield* ShutdownRequest
  const uncaught = yield* Uncaught
  const { lost } = yield* InstanceLock
  const { root } = yield* AutopilotHome
  const { send } = yield* ServiceNotifier
  yield* publish({ _tag: "DaemonStarted", pid: process.pid, version, home: root })
  yield* run("signal listener", handleSignals)
  yield* run("home keeper", Effect.raceFirst(keepHome, reportHome))
  // READY=1 promises that the settings are valid and the socket takes requests.
  yield* send(ServiceMessage.Ready())
  const terminationLog = yield* TerminationLog.make(options.terminationLog)
  yield* begin
  yield* warnOfStopTimeout
  const cause = yield* Effect.raceAll([
    Effect.map(next, ({ by }) => ({
      by,
      code: options.exitWhenFinished ? exitCodeOfStop(by) : 0,
      isBug: false
    })),
    Effect.as(lost, { by: "another daemon has taken this home", code: 1, isBug: false }),
    Effect.map(beyondHelp, (name) => ({ by: `${name} failed`, code: 1, isBug: true })),
    Effect.as(uncaught.first, { by: "an uncaught exception", code: 1, isBug: true }),
    options.exitWhenFinished
      ? Effect.map(allWork, ({ because, outcome }) => ({
          by: because,
          code: outcomeCodes[outcome],
          isBug: false
        }))
      : Effect.never
  ])
  // The results of the workers are read before the shutdown, which stops them all.
  const tellEnd = yield* terminationLog.ending
  yield* publish({ _tag: "DaemonStopping", by: cause.by, ...(cause.isBug ? { isBug: true } : {}) })
  yield* send(ServiceMessage.Stopping())
  const survivors = yield* Effect.raceFirst(drain, Effect.raceFirst(hasten, extendStopTimeout))
  yield* publish({ _tag: "DaemonStopped", ...leftBehind(survivors) })
  const code = survivors.length > 0 ? 1 : cause.code
  yield* limitClosing(code)
  yield* tellEnd(cause.by, code)
  return code
}, Effect.scoped)
