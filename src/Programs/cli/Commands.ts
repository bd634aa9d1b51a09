import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { dialogues } from "../../Domain/cli/Dialogues.ts"
import * as ControlClient from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import * as ProcFs from "../../Layers/machine/ProcFs.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { runDialogue, runReading } from "./DialogueRun.ts"

/** Access to the daemon of the caller's home. */
const Client = Layer.unwrapEffect(
  Effect.map(AutopilotHome, ({ socket }) => ControlClient.layer({ path: socket }))
).pipe(Layer.merge(ProcFs.layer))

/** The same, and what lives of the home without a daemon. */
const survivorsLayer = Effect.gen(function* () {
  const HomeSurvivors = yield* Effect.promise(() => import("../../Layers/tree/HomeSurvivors.ts"))
  return Layer.provideMerge(HomeSurvivors.layer, Client)
})

const isNotRunning = (error: unknown): error is ControlClient.NotRunning =>
  error instanceof ControlClient.NotRunning

/** Adds to a failure for want of a daemon what lives of the home all the same. */
const orSurvivors = <A, E, R>(command: Effect.Effect<A, E | ControlClient.NotRunning, R>) =>
  Effect.catchIf(command, isNotRunning, (error) =>
    Effect.gen(function* () {
      const { notAlone } = yield* Effect.promise(() => import("../NotAlone.ts"))
      return yield* Effect.provide(notAlone(error), Layer.merge(yield* survivorsLayer, yield* serviceLayer))
    })
  )

/** A command that only talks to the daemon. */
const talks = (verb: keyof typeof dialogues) => (invocation: Invocation) =>
  Effect.provide(runDialogue(dialogues[verb], invocation), Client)

/** The two ways to the settings file: through the daemon, or directly. */
const settingsOf = Effect.fnUntraced(function* (invocation: Invocation) {
  const { settingsAccess } = yield* Effect.promise(() => import("../config/SettingsAccess.ts"))
  return Layer.merge(Client, settingsAccess(invocation))
})

/** The files of the service, and systemd's user manager. */
const serviceLayer = Effect.gen(function* () {
  const ServiceFiles = yield* Effect.promise(() => import("../../Layers/service/ServiceFiles.ts"))
  const SystemdTools = yield* Effect.promise(() => import("../../Layers/systemd/SystemdTools.ts"))
  const UserManager = yield* Effect.promise(() => import("../../Layers/service/UserManager.ts"))
  return Layer.merge(ServiceFiles.layer, Layer.provideMerge(UserManager.layer, SystemdTools.layer))
})

/** A bundle of its own, which holds the web client: the daemon must not grow by it. */
const notifyBundle: Effect.Effect<typeof import("../notify/NotifyCommands.ts")> = Effect.promise(
  () => import(`${import.meta.dirname}/notify.js`)
)

/** Likewise, with what reaches other machines. */
const fleetBundle: Effect.Effect<typeof import("../fleet/FleetCommands.ts")> = Effect.promise(
  () => import(`${import.meta.dirname}/fleet.js`)
)

/**
 * The handler of each command. Modules are imported when their command runs, so that `status` does not wait for those of
 * other commands.
 */
export const commands = {
  // The start in the foreground is the daemon itself, in its own bundle (daemon/Serve.ts).
  start: Effect.fnUntraced(function* (invocation: Invocation) {
    const { detach } = yield* Effect.promise(() => import("../daemon/Detach.ts"))
    const BackgroundStart = yield* Effect.promise(() => import("../../Layers/daemon/BackgroundStart.ts"))
    const service = yield* serviceLayer
    yield* Effect.provide(detach(invocation), Layer.mergeAll(Client, BackgroundStart.layer, service))
  }),
  run: Effect.fnUntraced(function* (invocation: Invocation) {
    const { run } = yield* Effect.promise(() => import("../daemon/Run.ts"))
    const BackgroundStart = yield* Effect.promise(() => import("../../Layers/daemon/BackgroundStart.ts"))
    const SettingsFile = yield* Effect.promise(() => import("../../Layers/settings/SettingsFile.ts"))
    const files = Layer.merge(yield* settingsOf({ ...invocation, options: {} }), SettingsFile.layer)
    yield* Effect.provide(run(invocation), Layer.mergeAll(files, BackgroundStart.layer, yield* serviceLayer))
  }),
  status: (invocation: Invocation) => orSurvivors(talks("status")(invocation)),
  projects: (invocation: Invocation) => orSurvivors(talks("projects")(invocation)),
  logs: Effect.fnUntraced(function* (invocation: Invocation) {
    const { showLogs } = yield* Effect.promise(() => import("../logs/Logs.ts"))
    const { logDir } = yield* AutopilotHome
    const { colour, err, isTerminal, part } = yield* CommandOutput
    const output = {
      colour,
      isTerminal,
      err: (text: string) => Effect.runPromise(err(text)),
      write: (bytes: Buffer) => Effect.runPromise(Effect.isSuccess(part(bytes)))
    }
    const failure = yield* Effect.promise((signal) => showLogs(invocation, { ...output, logDir, signal }))
    if (failure !== undefined) yield* Effect.fail(failure)
  }),
  hogs: Effect.fnUntraced(function* (invocation: Invocation) {
    const { hogs } = yield* Effect.promise(() => import("../guard/Hogs.ts"))
    yield* Effect.provide(hogs(invocation), Client)
  }),
  metrics: Effect.fnUntraced(function* (invocation: Invocation) {
    // The table and its writers are a bundle of their own: the daemon must not grow by them.
    const bundle = `${import.meta.dirname}/metrics.js`
    const { metricsText }: typeof import("../../Domain/metrics/MetricsText.ts") = yield* Effect.promise(
      () => import(bundle)
    )
    const { metrics } = yield* Effect.promise(() => import("../metrics/Metrics.ts"))
    yield* Effect.provide(metrics(invocation, metricsText), Client)
  }),
  history: Effect.fnUntraced(function* (invocation: Invocation) {
    const { historyDialogues } = yield* Effect.promise(() => import("../../Domain/cli/HistoryDialogues.ts"))
    const HistoryReader = yield* Effect.promise(() => import("../../Layers/history/HistoryReader.ts"))
    const reading = runReading(historyDialogues.history, invocation)
    yield* Effect.provide(reading, Layer.merge(HistoryReader.layer, Client))
  }),
  events: Effect.fnUntraced(function* (invocation: Invocation) {
    const { events } = yield* Effect.promise(() => import("../history/Events.ts"))
    const HistoryReader = yield* Effect.promise(() => import("../../Layers/history/HistoryReader.ts"))
    yield* Effect.provide(events(invocation), HistoryReader.layer)
  }),
  top: Effect.fnUntraced(function* () {
    // A bundle of its own, which holds the terminal's library: the daemon must not grow by it.
    const bundle = `${import.meta.dirname}/top.js`
    const { top }: typeof import("../status/Top.ts") = yield* Effect.promise(() => import(bundle))
    yield* top
  }),
  relay: Effect.fnUntraced(function* (invocation: Invocation) {
    const { wantedRelay } = yield* Effect.promise(() => import("../relay/WantedRelay.ts"))
    const SettingsFile = yield* Effect.promise(() => import("../../Layers/settings/SettingsFile.ts"))
    const settings = yield* Effect.provide(wantedRelay(invocation), SettingsFile.layer)
    const { host } = invocation.options
    if (host !== undefined) {
      const elsewhere = `${import.meta.dirname}/elsewhere.js`
      const { relayElsewhere }: typeof import("../relay/RelayElsewhere.ts") = yield* Effect.promise(
        () => import(elsewhere)
      )
      return yield* relayElsewhere(host, settings)
    }
    // A bundle of its own, which holds what talks to a network: the daemon must not grow by it.
    const bundle = `${import.meta.dirname}/relay.js`
    const { relay }: typeof import("../relay/Relay.ts") = yield* Effect.promise(() => import(bundle))
    yield* Effect.provide(relay(settings), Client)
  }),
  // main.ts runs it without this program, but for want of a home, of which the layer of the home has told by now.
  "dial-stdio": (_invocation: Invocation) => Effect.void,
  wait: Effect.fnUntraced(function* (invocation: Invocation) {
    const { wait } = yield* Effect.promise(() => import("../history/Wait.ts"))
    const HistoryReader = yield* Effect.promise(() => import("../../Layers/history/HistoryReader.ts"))
    yield* Effect.provide(wait(invocation), Layer.merge(Client, HistoryReader.layer))
  }),
  why: Effect.fnUntraced(function* (invocation: Invocation) {
    const { why } = yield* Effect.promise(() => import("../history/Why.ts"))
    const HistoryReader = yield* Effect.promise(() => import("../../Layers/history/HistoryReader.ts"))
    const MachineBoot = yield* Effect.promise(() => import("../../Layers/machine/MachineBoot.ts"))
    yield* Effect.provide(
      why(invocation),
      Layer.mergeAll(yield* survivorsLayer, yield* serviceLayer, HistoryReader.layer, MachineBoot.layer)
    )
  }),
  doctor: Effect.fnUntraced(function* (invocation: Invocation) {
    const { doctor } = yield* Effect.promise(() => import("../doctor/Doctor.ts"))
    yield* Effect.provide(doctor(invocation), Layer.merge(yield* survivorsLayer, yield* serviceLayer))
  }),
  switch: talks("switch"),
  use: talks("use"),
  "start-worker": talks("start-worker"),
  "stop-worker": talks("stop-worker"),
  "restart-worker": talks("restart-worker"),
  "budget show": talks("budget show"),
  "budget reset": talks("budget reset"),
  "notify test": (invocation: Invocation) =>
    Effect.flatMap(notifyBundle, ({ notifyTest }) => notifyTest(invocation)),
  "notify list": (invocation: Invocation) =>
    Effect.flatMap(notifyBundle, ({ notifyList }) => notifyList(invocation)),
  "fleet status": (invocation: Invocation) =>
    Effect.flatMap(fleetBundle, ({ fleetStatus }) => fleetStatus(invocation)),
  "fleet watch": (invocation: Invocation) =>
    Effect.flatMap(fleetBundle, ({ fleetWatch }) => fleetWatch(invocation)),
  "fleet doctor": (invocation: Invocation) =>
    Effect.flatMap(fleetBundle, ({ fleetDoctor }) => fleetDoctor(invocation)),
  reload: talks("reload"),
  stop: Effect.fnUntraced(function* (invocation: Invocation) {
    const { stop } = yield* Effect.promise(() => import("../daemon/Stop.ts"))
    const HistoryReader = yield* Effect.promise(() => import("../../Layers/history/HistoryReader.ts"))
    const survivors = Layer.merge(yield* survivorsLayer, yield* serviceLayer)
    const stopping = Effect.provide(stop(invocation), Layer.merge(survivors, HistoryReader.layer))
    yield* Effect.catchIf(stopping, isNotRunning, (error) =>
      Effect.gen(function* () {
        const { stopSurvivors } = yield* Effect.promise(() => import("../daemon/StopSurvivors.ts"))
        const ProcessSignal = yield* Effect.promise(() => import("../../Layers/machine/ProcessSignal.ts"))
        const SettingsFile = yield* Effect.promise(() => import("../../Layers/settings/SettingsFile.ts"))
        const WorkerTree = yield* Effect.promise(() => import("../../Layers/tree/WorkerTree.ts"))
        const trees = Layer.provide(WorkerTree.layer, ProcessSignal.layer)
        const needed = Layer.provideMerge(Layer.merge(trees, SettingsFile.layer), survivors)
        yield* Effect.provide(stopSurvivors(invocation, error), needed)
      })
    )
  }),
  gui: Effect.fnUntraced(function* (invocation: Invocation) {
    // A bundle of its own, which holds the web server: the daemon must not grow by it.
    const bundle = `${import.meta.dirname}/panel.js`
    const { gui }: typeof import("../panel/Gui.ts") = yield* Effect.promise(() => import(bundle))
    yield* gui(invocation)
  }),
  install: Effect.fnUntraced(function* (invocation: Invocation) {
    const service = Layer.merge(Client, yield* serviceLayer)
    const { install, installPrint } = yield* Effect.promise(() => import("../service/Install.ts"))
    if (invocation.options.print) return yield* Effect.provide(installPrint(invocation), service)
    const MemoryReader = yield* Effect.promise(() => import("../../Layers/machine/MemoryReader.ts"))
    yield* Effect.provide(install(invocation), Layer.merge(service, MemoryReader.layer))
  }),
  uninstall: Effect.fnUntraced(function* (invocation: Invocation) {
    const { uninstall } = yield* Effect.promise(() => import("../service/Uninstall.ts"))
    yield* Effect.provide(uninstall(invocation), yield* serviceLayer)
  }),
  init: Effect.fnUntraced(function* (invocation: Invocation) {
    const { init } = yield* Effect.promise(() => import("../config/Init.ts"))
    const SettingsFile = yield* Effect.promise(() => import("../../Layers/settings/SettingsFile.ts"))
    const files = Layer.merge(yield* settingsOf({ ...invocation, options: {} }), SettingsFile.layer)
    yield* Effect.provide(init(invocation), files)
  }),
  "config check": Effect.fnUntraced(function* (invocation: Invocation) {
    const { configCheck } = yield* Effect.promise(() => import("../config/ConfigCheck.ts"))
    yield* Effect.provide(configCheck(invocation), Client)
  }),
  "config show": Effect.fnUntraced(function* (invocation: Invocation) {
    const { configShow } = yield* Effect.promise(() => import("../config/ConfigShow.ts"))
    yield* Effect.provide(configShow(invocation), yield* settingsOf(invocation))
  }),
  "config get": Effect.fnUntraced(function* (invocation: Invocation) {
    const { configGet } = yield* Effect.promise(() => import("../config/ConfigGet.ts"))
    yield* configGet(invocation)
  }),
  "config set": Effect.fnUntraced(function* (invocation: Invocation) {
    const { configSet } = yield* Effect.promise(() => import("../config/ConfigChange.ts"))
    yield* Effect.provide(configSet(invocation), yield* settingsOf(invocation))
  }),
  "config unset": Effect.fnUntraced(function* (invocation: Invocation) {
    const { configUnset } = yield* Effect.promise(() => import("../config/ConfigChange.ts"))
    yield* Effect.provide(configUnset(invocation), yield* settingsOf(invocation))
  }),
  "config edit": Effect.fnUntraced(function* (invocation: Invocation) {
    const { configEdit } = yield* Effect.promise(() => import("../config/ConfigEdit.ts"))
    const Editor = yield* Effect.promise(() => import("../../Layers/config/Editor.ts"))
    yield* Effect.provide(configEdit(invocation), Layer.merge(yield* settingsOf(invocation), Editor.layer))
  }),
  "config schema": Effect.fnUntraced(function* (invocation: Invocation) {
    const { configSchema } = yield* Effect.promise(() => import("../config/ConfigSchema.ts"))
    yield* configSchema(invocation)
  })
}

type Ran = ReturnType<(typeof commands)[keyof typeof commands]>

export type CommandError = Effect.Effect.Error<Ran>

export type CommandNeeds = Effect.Effect.Context<Ran>
