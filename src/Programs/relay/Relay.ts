import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { exitCodes } from "../../Domain/cli/ExitCodes.ts"
import { type OutletCounts, otlpOutlet, relayCountsOf } from "../../Domain/relay/OutletCounts.ts"
import { relayDelayMs } from "../../Domain/relay/RelayChild.ts"
import type { RelaySettings } from "../../Domain/relay/RelaySettings.ts"
import { humanDuration } from "../../Domain/text/Amounts.ts"
import { listed } from "../../Domain/text/TextLayout.ts"
import { keepingInterruptions } from "../../Layers/concurrency/KeptInterruptions.ts"
import * as ControlClient from "../../Layers/control/ControlClient.ts"
import * as AutopilotHome from "../../Layers/daemon/AutopilotHome.ts"
import * as Caller from "../../Layers/daemon/Caller.ts"
import { exitProcess } from "../../Layers/daemon/ProcessExit.ts"
import { Signals } from "../../Layers/daemon/Signals.ts"
import * as CommandOutput from "../../Layers/output/CommandOutput.ts"
import * as Following from "../../Layers/relay/Following.ts"
import { heartbeat } from "../../Layers/relay/Heartbeat.ts"
import { lifeline } from "../../Layers/relay/Lifeline.ts"
import { metricsEndpoint } from "../../Layers/relay/MetricsEndpoint.ts"
import { otlpPush } from "../../Layers/relay/OtlpPush.ts"
import * as OutletReports from "../../Layers/relay/OutletReports.ts"
import { awaitRelayLock, tryRelayLock } from "../../Layers/relay/RelayLock.ts"
import { notifier } from "../notify/Notifier.ts"
import { Refused } from "../Refused.ts"

/** The daemon reads reports on standard output. */
const OnStandardError = Logger.replace(
  Logger.defaultLogger,
  Logger.withConsoleError(
    Logger.make(({ cause, message }) =>
      [message, Cause.isEmpty(cause) ? "" : Cause.pretty(cause)].flat().join(" ").trim()
    )
  )
)

/** The time that a relay has, when the daemon has vanished, to tell so. */
const afterwards = Duration.seconds(10)

/** Something that the relay does, and for ever. `what` continues a sentence that begins with the relay. */
interface Outlet {
  readonly name: string
  readonly what: string
  readonly run: Effect.Effect<
    never,
    never,
    Effect.Effect.Context<
      | ReturnType<typeof heartbeat>
      | ReturnType<typeof metricsEndpoint>
      | ReturnType<typeof otlpPush>
      | ReturnType<typeof notifier>
    >
  >
}

/** Everything that these settings switch on. */
const outletsOf = (settings: RelaySettings): ReadonlyArray<Outlet> => {
  const { endpoint, heartbeat: beats, notify, otlp } = settings
  const countsOf = (counts: OutletCounts) => relayCountsOf(settings, counts)
  return [
    ...(beats === undefined
      ? []
      : [
          {
            name: "heartbeat",
            what: `sends a heartbeat every ${humanDuration(beats.intervalMs)}`,
            run: heartbeat(beats)
          }
        ]),
    ...(endpoint === undefined
      ? []
      : [
          {
            name: "metrics endpoint",
            what: `serves /metrics, /healthz and /readyz on ${endpoint.host}, port ${endpoint.port}`,
            run: metricsEndpoint(endpoint, countsOf)
          }
        ]),
    ...(otlp === undefined
      ? []
      : [
          {
            name: otlpOutlet,
            what: `sends the metrics to ${otlp.url} every ${humanDuration(otlp.intervalMs)}`,
            run: otlpPush(otlp, countsOf)
          }
        ]),
    ...(notify === undefined
      ? []
      : [
          {
            name: "notify",
            what: `sends notifications to ${listed(Object.keys(notify.to))}`,
            run: notifier(notify)
          }
        ])
  ]
}

/** Keeps an outlet going: one that ends with a bug costs the others nothing. */
const keep = ({ name, run }: Outlet) =>
  Effect.gen(function* () {
    const { fails } = yield* OutletReports.OutletReports
    for (let failures = 1; ; failures++) {
      const cause = yield* Effect.flip(Effect.sandbox(run))
      yield* Effect.logError(`The outlet ${name} failed: this is a bug in autopilotd`, cause)
      yield* fails(name, `a bug in autopilotd: ${Cause.pretty(cause).split("\n", 1)[0] ?? ""}`)
      yield* Effect.sleep(relayDelayMs(failures))
    }
  })

const serve = <R>(settings: RelaySettings, following: Layer.Layer<Following.Following, never, R>) =>
  Effect.provide(
    Effect.forEach(outletsOf(settings), keep, { concurrency: "unbounded", discard: true }),
    Layer.merge(NodeHttpClient.layer, following)
  )

/** What a relay in the foreground follows. */
interface Followee<R> {
  /** The home, or the machine, for messages. */
  readonly name: string
  /** The reason why there may be another relay, as whole sentences. */
  readonly because: string
  readonly following: Layer.Layer<Following.Following, never, R>
}

/** Serves these settings in the foreground until it is told to stop. */
export const relayOf = Effect.fnUntraced(
  function* <R>(settings: RelaySettings, { because, following, name }: Followee<R>) {
    const { out } = yield* CommandOutput.CommandOutput
    const { next } = yield* Signals
    if (!(yield* tryRelayLock)) {
      return yield* new Refused({
        reason: `A relay of ${name} is running already: ${because}`,
        code: "already_running"
      })
    }
    const what = outletsOf(settings).map((outlet) => outlet.what)
    yield* out(`The relay of ${name} ${what.join(" and ")}.\nStop it with Ctrl-C.\n`)
    yield* Effect.raceFirst(Effect.provide(serve(settings, following), OutletReports.toTerminal), next)
  },
  Effect.scoped,
  Effect.provide(OnStandardError)
)

/** `autopilotd relay`: the relay of this home's daemon. */
export const relay = (settings: RelaySettings) =>
  Effect.flatMap(AutopilotHome.AutopilotHome, ({ root }) =>
    relayOf(settings, {
      name: root,
      because:
        "a daemon starts one by itself when the settings give it something to do. See: autopilotd status",
      following: Following.layer
    })
  )

const ofDaemon = Effect.gen(function* () {
  const { cut, settings } = yield* lifeline
  yield* Effect.raceFirst(
    Effect.zipRight(awaitRelayLock, serve(settings, Following.layer)),
    Effect.zipRight(cut, Effect.sleep(afterwards))
  )
}).pipe(
  Effect.scoped,
  Effect.provide(
    Layer.unwrapEffect(
      Effect.map(AutopilotHome.AutopilotHome, ({ socket }) => ControlClient.layer({ path: socket }))
    ).pipe(
      Layer.merge(OutletReports.toDaemon),
      Layer.provideMerge(Layer.mergeAll(AutopilotHome.layer, Caller.layer, CommandOutput.layer))
    )
  )
)

/** The relay that the daemon has started. Ends with it, and exits. */
export const run = (): void => {
  const program = Effect.tapErrorCause(ofDaemon, (cause) => Effect.logError("The relay ends", cause))
  Effect.runFork(keepingInterruptions(Effect.provide(program, OnStandardError))).addObserver((exit) =>
    exitProcess(Exit.isSuccess(exit) ? exitCodes.done : exitCodes.failed)
  )
}
