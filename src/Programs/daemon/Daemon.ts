import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { usablePlansOf } from "../../Domain/worker/ProjectPlan.ts"
import * as MinuteBeat from "../../Layers/concurrency/MinuteBeat.ts"
import * as SettingsReload from "../../Layers/config/SettingsReload.ts"
import * as SettingsStore from "../../Layers/config/SettingsStore.ts"
import * as SettingsWatcher from "../../Layers/config/SettingsWatcher.ts"
import * as ControlHandler from "../../Layers/control/ControlHandler.ts"
import * as ControlServer from "../../Layers/control/ControlServer.ts"
import type { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import type { Caller } from "../../Layers/daemon/Caller.ts"
import * as ClosingLimit from "../../Layers/daemon/ClosingLimit.ts"
import * as HomeChanges from "../../Layers/daemon/HomeChanges.ts"
import * as InstanceLock from "../../Layers/daemon/InstanceLock.ts"
import * as ShutdownRequest from "../../Layers/daemon/ShutdownRequest.ts"
import type { Signals } from "../../Layers/daemon/Signals.ts"
import * as Uncaught from "../../Layers/daemon/Uncaught.ts"
import * as AgentWatch from "../../Layers/guard/AgentWatch.ts"
import * as HogReport from "../../Layers/guard/HogReport.ts"
import * as HogSearch from "../../Layers/guard/HogSearch.ts"
import * as LoginWatch from "../../Layers/guard/LoginWatch.ts"
import * as MemoryBackstop from "../../Layers/guard/MemoryBackstop.ts"
import * as MemoryGuard from "../../Layers/guard/MemoryGuard.ts"
import * as StallDetector from "../../Layers/guard/StallDetector.ts"
import * as WorkerLimit from "../../Layers/guard/WorkerLimit.ts"
import * as WorkerMemory from "../../Layers/guard/WorkerMemory.ts"
import * as Concerns from "../../Layers/history/Concerns.ts"
import * as DaemonEvents from "../../Layers/history/DaemonEvents.ts"
import * as DaemonLog from "../../Layers/history/DaemonLog.ts"
import * as HistoryReader from "../../Layers/history/HistoryReader.ts"
import * as HistoryStore from "../../Layers/history/HistoryStore.ts"
import * as SignOfLife from "../../Layers/history/SignOfLife.ts"
import * as WorkerEcho from "../../Layers/logs/WorkerEcho.ts"
import * as WorkerLines from "../../Layers/logs/WorkerLines.ts"
import * as WorkerLog from "../../Layers/logs/WorkerLog.ts"
import * as MachineBoot from "../../Layers/machine/MachineBoot.ts"
import * as MemoryReader from "../../Layers/machine/MemoryReader.ts"
import * as ProcessScan from "../../Layers/machine/ProcessScan.ts"
import * as ProcessSignal from "../../Layers/machine/ProcessSignal.ts"
import * as ProcFs from "../../Layers/machine/ProcFs.ts"
import * as MemoryMonitor from "../../Layers/memory/MemoryMonitor.ts"
import * as MetricsReport from "../../Layers/metrics/MetricsReport.ts"
import * as Tallies from "../../Layers/metrics/Tallies.ts"
import * as OwnOutput from "../../Layers/output/OwnOutput.ts"
import * as RotatingFile from "../../Layers/output/RotatingFile.ts"
import * as Relay from "../../Layers/relay/Relay.ts"
import * as RelayProcess from "../../Layers/relay/RelayProcess.ts"
import * as ServiceStatus from "../../Layers/service/ServiceStatus.ts"
import * as ServiceWatchdog from "../../Layers/service/ServiceWatchdog.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import * as SettingsInForce from "../../Layers/settings/SettingsInForce.ts"
import type { SettingsSources } from "../../Layers/settings/SettingsLoading.ts"
import * as MemoryTimeline from "../../Layers/status/MemoryTimeline.ts"
import * as ProjectReports from "../../Layers/status/ProjectReports.ts"
import type { TerminationLogFile } from "../../Layers/status/TerminationLogFile.ts"
import * as OwnUnit from "../../Layers/systemd/OwnUnit.ts"
import * as ServiceNotifier from "../../Layers/systemd/ServiceNotifier.ts"
import * as SystemdTools from "../../Layers/systemd/SystemdTools.ts"
import * as Leftovers from "../../Layers/tree/Leftovers.ts"
import * as WorkerGroups from "../../Layers/tree/WorkerGroups.ts"
import * as WorkerProcess from "../../Layers/tree/WorkerProcess.ts"
import * as WorkerTree from "../../Layers/tree/WorkerTree.ts"
import * as KernelOomKills from "../../Layers/verdict/KernelOomKills.ts"
import * as LiveWorkers from "../../Layers/verdict/LiveWorkers.ts"
import * as EnvFile from "../../Layers/worker/EnvFile.ts"
import * as Logins from "../../Layers/worker/Logins.ts"
import * as ProjectSwitch from "../../Layers/worker/ProjectSwitch.ts"
import * as SelectedProject from "../../Layers/worker/SelectedProject.ts"
import * as StateStore from "../../Layers/worker/StateStore.ts"
import * as Supervisor from "../../Layers/worker/Supervisor.ts"
import * as WorkerRun from "../../Layers/worker/WorkerRun.ts"
import { provideInTurn } from "../InTurn.ts"
import { version } from "../Version.ts"
import { supervise } from "./Lifecycle.ts"

interface DaemonOptions {
  readonly sources: SettingsSources
  readonly keepState: boolean
  /** Workers' lines are shown as they are, on a terminal too. */
  readonly raw: boolean
  /** The daemon ends with the work of its workers. */
  readonly exitWhenFinished: boolean
  readonly terminationLog: TerminationLogFile | undefined
}

/** The projects of the settings, which are read while the lock is held. */
const Projects = (keepState: boolean) =>
  Layer.scoped(
    Supervisor.Supervisor,
    Effect.gen(function* () {
      const settings = (yield* SettingsInForce.SettingsInForce).now()
      const projects = yield* usablePlansOf(settings)
      return yield* Supervisor.supervise({ projects, selected: settings.named, keepState })
    })
  )

/** What reads the machine, and what is known of it. */
const Machine = [
  ProcFs.layer,
  ProcessScan.layer,
  ProcessSignal.layer,
  MemoryReader.layer,
  MinuteBeat.layer,
  LiveWorkers.layer,
  WorkerLines.layer,
  SettingsFile.layer,
  ShutdownRequest.layer
] as const

/** Output, log, history and events, each of which is counted. */
const Reporting = [
  OwnOutput.layer,
  RotatingFile.layer,
  DaemonLog.layer,
  HistoryStore.layer,
  DaemonEvents.layer,
  Tallies.layer,
  Concerns.layer
] as const

/** The runs of workers, their output and their saved state. */
const Workers = [
  WorkerProcess.layer,
  WorkerTree.layer,
  EnvFile.layer,
  KernelOomKills.layer,
  Leftovers.layer,
  WorkerRun.layer,
  Logins.layer,
  WorkerLog.layer,
  StateStore.layer,
  SelectedProject.layer
] as const

/** The control socket. */
const Control = [
  HogReport.layer,
  HistoryReader.layer,
  SettingsStore.layer,
  MemoryTimeline.layer,
  ProjectReports.layer({ pid: process.pid, version }),
  MetricsReport.layer(version),
  ProjectSwitch.layer,
  ControlHandler.layer,
  ControlServer.layer
] as const

/** The concerns that work on the projects. The watchdog of systemd observes the memory guard and the supervisor. */
const Guards = [
  MemoryGuard.layer,
  ServiceWatchdog.layer,
  ServiceStatus.layer,
  SettingsWatcher.layer,
  WorkerLimit.layer,
  MemoryBackstop.layer,
  StallDetector.layer,
  AgentWatch.layer,
  LoginWatch.layer,
  RelayProcess.layer,
  Relay.layer,
  MachineBoot.layer,
  SignOfLife.layer
] as const

/**
 * The daemon, from the lock to its release, as one runtime of layers. They are built from the first line down: the lock
 * first, the control socket once all is there that it answers for; and closed in reverse: socket, workers, log, lock. Returns
 * the exit code.
 */
export const daemon = ({ exitWhenFinished, keepState, raw, sources, terminationLog }: DaemonOptions) =>
  supervise({ exitWhenFinished, terminationLog }).pipe(
    provideInTurn(
      ClosingLimit.layer,
      ...Machine,
      InstanceLock.layer,
      HomeChanges.layer,
      SettingsInForce.layer(sources, { keepState }),
      ...Reporting,
      Uncaught.layer,
      SystemdTools.layer,
      OwnUnit.layer,
      ServiceNotifier.layer,
      WorkerGroups.layer,
      MemoryMonitor.layer,
      WorkerEcho.layer({ raw }),
      ...Workers,
      Projects(keepState),
      WorkerMemory.layer,
      SettingsReload.layer,
      HogSearch.layer,
      ...Control,
      ...Guards
    )
  ) satisfies Effect.Effect<number, unknown, AutopilotHome | Caller | Signals>
