import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { isMainProcess } from "../../Domain/systemd/OwnUnitFacts.ts"
import * as ControlClient from "../../Layers/control/ControlClient.ts"
import * as AutopilotHome from "../../Layers/daemon/AutopilotHome.ts"
import * as Caller from "../../Layers/daemon/Caller.ts"
import { Signals } from "../../Layers/daemon/Signals.ts"
import * as LogFiles from "../../Layers/logs/LogFiles.ts"
import * as MachineBoot from "../../Layers/machine/MachineBoot.ts"
import * as ProcFs from "../../Layers/machine/ProcFs.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { openInBrowser } from "../../Layers/panel/BrowserOpen.ts"
import * as ChartSource from "../../Layers/panel/ChartSource.ts"
import { startDaemon } from "../../Layers/panel/DaemonStart.ts"
import * as DaemonWatch from "../../Layers/panel/DaemonWatch.ts"
import { guiPreferences } from "../../Layers/panel/GuiPreferences.ts"
import * as HostsWatch from "../../Layers/panel/HostsWatch.ts"
import { loadAssets } from "../../Layers/panel/PanelAssets.ts"
import { keepLink, runningPanel } from "../../Layers/panel/PanelLink.ts"
import { serve } from "../../Layers/panel/PanelServer.ts"
import { makeToken } from "../../Layers/panel/PanelToken.ts"
import * as RememberedHistory from "../../Layers/panel/RememberedHistory.ts"
import * as ServiceSight from "../../Layers/panel/ServiceSight.ts"
import * as ServiceFiles from "../../Layers/service/ServiceFiles.ts"
import * as UserManager from "../../Layers/service/UserManager.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import * as SystemdTools from "../../Layers/systemd/SystemdTools.ts"
import * as HomeSurvivors from "../../Layers/tree/HomeSurvivors.ts"
import { settingsAccess } from "../config/SettingsAccess.ts"
import { serviceTrouble } from "../service/ServiceTrouble.ts"
import { version } from "../Version.ts"
import { routes } from "./Routes.ts"

/** What the panel listens on unless told otherwise. */
const defaultPort = 7420

const Service = Layer.merge(ServiceFiles.layer, Layer.provide(UserManager.layer, SystemdTools.layer))

/** What the pages are made of. */
const Sources = Layer.unwrapEffect(
  Effect.map(AutopilotHome.AutopilotHome, ({ socket }) => ControlClient.layer({ path: socket }))
).pipe(
  Layer.merge(ProcFs.layer),
  (client) =>
    Layer.provideMerge(
      Layer.mergeAll(DaemonWatch.layer, HostsWatch.layerOf(version), HomeSurvivors.layer),
      client
    ),
  Layer.merge(Layer.mergeAll(RememberedHistory.layer, MachineBoot.layer, SettingsFile.layer, LogFiles.layer)),
  Layer.merge(Layer.provide(ServiceSight.layerOf(serviceTrouble), Service)),
  (sources) => Layer.provideMerge(ChartSource.layer, sources),
  Layer.provideMerge(Layer.merge(AutopilotHome.layer, Caller.layer))
)

/** Starts the daemon where none runs. The panel then shows why it did not start, if it did not. */
const startFirst = Effect.fnUntraced(function* (argv: ReadonlyArray<string>) {
  const { request } = yield* ControlClient.ControlClient
  const { err } = yield* CommandOutput
  const isRunning = yield* request({ type: "Projects" }).pipe(
    Effect.as(true),
    Effect.catchTag("NotRunning", () => Effect.succeed(false)),
    Effect.orElseSucceed(() => true)
  )
  if (isRunning) return
  const { message, success } = yield* startDaemon(argv)
  if (!success) yield* err(`autopilotd: ${message}\n`)
})

const serving = Effect.fnUntraced(function* (invocation: Invocation, isService: boolean) {
  const { out } = yield* CommandOutput
  const { options } = invocation
  const argv = [
    ...(options.workdir === undefined ? [] : ["--workdir", options.workdir]),
    ...(options.project === undefined ? [] : ["--project", options.project])
  ]
  const preferences = yield* guiPreferences
  if (options.startDaemon ?? preferences.auto_start) yield* startFirst(argv)

  // systemd would take a service that leaves its work to another panel for one that is done.
  const other = isService ? undefined : yield* runningPanel
  if (other !== undefined && (options.port === undefined || options.port === other.port)) {
    yield* out(`The panel is running already, with pid ${other.pid}, at ${other.link}\n`)
    return yield* options.open === true ? openInBrowser(other.page) : Effect.void
  }

  const token = makeToken()
  const assets = yield* loadAssets
  const app = yield* routes({ assets, start: { argv } })
  const port = yield* serve(app, {
    port: options.port ?? preferences.port ?? defaultPort,
    isToken: token.matches,
    embedOrigins: preferences.embed_origins
  })
  const origin = `http://127.0.0.1:${port}/`
  const link = `${origin}#token=${token.text}`
  const page = yield* keepLink(link)
  // The journal is no place for a password.
  yield* out(
    isService
      ? `The panel is at ${origin}, with the link of: autopilotd gui\n`
      : `The panel is at ${link}\nStop it with Ctrl-C.\n`
  )
  if (options.open === true && page !== undefined) yield* openInBrowser(page)
  return yield* Effect.never
})

/**
 * `autopilotd gui`: serves the panel until it is told to stop. Where a panel of this home runs already, as the service
 * does, it only tells its link.
 */
export const gui = (invocation: Invocation) =>
  Effect.gen(function* () {
    const { environment } = yield* Caller.Caller
    const { next } = yield* Signals
    const isService = isMainProcess(environment, process.pid)
    yield* Effect.raceFirst(Effect.scoped(serving(invocation, isService)), next)
  }).pipe(Effect.provide(settingsAccess(invocation)), Effect.provide(Sources))
