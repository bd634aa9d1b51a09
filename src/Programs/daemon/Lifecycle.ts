import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ServiceMessage } from "../../Domain/systemd/ServiceMessage.ts"
import { stopTimeoutShort } from "../../Domain/systemd/StopTimeout.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { ShutdownRequest } from "../../Layers/daemon/ShutdownRequest.ts"
import { Signals } from "../../Layers/daemon/Signals.ts"
import { Uncaught } from "../../Layers/daemon/Uncaught.ts"
import { Concerns } from "../../Layers/history/Concerns.ts"
import { DaemonEvents } from "../../Layers/history/DaemonEvents.ts"
import { OwnUnit } from "../../Layers/systemd/OwnUnit.ts"
import { ServiceNotifier } from "../../Layers/systemd/ServiceNotifier.ts"
import { Supervisor } from "../../Layers/worker/Supervisor.ts"
import { version } from "../Version.ts"

/** Signals are requests to end; a terminal that goes away is only news. */
const hearSignals = Effect.gen(function* () {
  const signals = yield* Signals
  const shutdown = yield* ShutdownRequest
  const events = yield* DaemonEvents
  for (;;) {
    const news = yield* signals.next
    yield* news._tag === "Signal" ? shutdown.ask(news.name) : events.publish({ _tag: "TerminalClosed" })
  }
})

/** Each further request, while the shutdown is under way, hastens it. */
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

/** A stop that systemd must not cut short asks this often for this much more time. */
const askInterval = Duration.seconds(5)
const askedMs = 20_000

/** systemd kills what takes longer than the unit's TimeoutStopSec=, unless it is told that the end is under way. */
const askForTime = Effect.gen(function* () {
  const { channel, send } = yield* ServiceNotifier
  if (channel === undefined) return yield* Effect.never
  for (;;) {
    yield* send(ServiceMessage.ExtendTimeout({ forMs: askedMs }))
    yield* Effect.sleep(askInterval)
  }
})

/** Tells when a stop may be cut short all the same. */
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

/**
 * Runs until somebody wants the daemon to end, or it cannot go on; then ends all workers while socket, journal and
 * log are still up. The exit code: 0 after a clean end, 1 when a concern failed for good or something is left.
 */
export const supervise = Effect.gen(function* () {
  const { beyondHelp, run } = yield* Concerns
  const { publish } = yield* DaemonEvents
  const { begin, drain } = yield* Supervisor
  const { next } = yield* ShutdownRequest
  const uncaught = yield* Uncaught
  const { root } = yield* AutopilotHome
  const { send } = yield* ServiceNotifier
  yield* publish({ _tag: "DaemonStarted", pid: process.pid, version, home: root })
  yield* run("signal listener", hearSignals)
  // The socket is bound and the settings are valid: that is what whoever waits for the service waits for.
  yield* send(ServiceMessage.Ready())
  yield* begin
  yield* warnOfStopTimeout
  const end = yield* Effect.raceAll([
    Effect.map(next, ({ by }) => ({ by, code: 0 })),
    Effect.map(beyondHelp, (name) => ({ by: `${name} failed`, code: 1 })),
    Effect.as(uncaught.first, { by: "a bug outside of every fiber", code: 1 })
  ])
  yield* publish({ _tag: "DaemonStopping", by: end.by })
  yield* send(ServiceMessage.Stopping())
  const leftBehind = yield* Effect.raceFirst(drain, Effect.raceFirst(hasten, askForTime))
  yield* publish({ _tag: "DaemonStopped", leftBehind })
  return leftBehind.length > 0 ? 1 : end.code
}).pipe(Effect.scoped)
