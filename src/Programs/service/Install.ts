import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import type { ErrorCode } from "../../Domain/control/ErrorCode.ts"
import { desktopOn } from "../../Domain/notify/DesktopChannel.ts"
import { type Launcher, whyFleeting } from "../../Domain/service/Launcher.ts"
import { daemonUnit, panelUnit, type ServiceUnit } from "../../Domain/service/ServiceUnit.ts"
import { workerSentence } from "../../Domain/status/WorkerSentence.ts"
import { prepare } from "../../Layers/daemon/AutopilotHome.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { type RunningPanel, runningPanel } from "../../Layers/panel/PanelLink.ts"
import { ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { UserManager } from "../../Layers/service/UserManager.ts"
import { sayDone } from "../Answer.ts"
import { Refused } from "../Refused.ts"
import { version } from "../Version.ts"
import { refuseOtherHome, type ServicePlan, servicePlan } from "./ServicePlan.ts"
import {
  awaitService,
  ownStatus,
  type RunningService,
  startPanelService,
  startService
} from "./ServiceRun.ts"
import { checkServiceSettings } from "./ServiceSettings.ts"

const refused = (reason: string, code: ErrorCode = "refused") => new Refused({ reason, code })

/** Chooses a folder from which the user's manager loads units: its HOME may differ from this shell's. */
const unitFolder = Effect.gen(function* () {
  const { unitFolders } = yield* ServiceFiles
  const { looksIn } = yield* UserManager
  const folder = unitFolders.find(yield* looksIn)
  if (folder !== undefined) return folder
  return yield* refused(
    `The systemd user manager does not load units from ${unitFolders.join(" or ")}: its HOME or XDG_CONFIG_HOME differs ` +
      "from this shell's. Nothing was changed. Run autopilotd install in a shell with the same values.",
    "service_failed"
  )
})

/** Refuses units of another home, and masked units. */
const refuseUnsuited = Effect.fnUntraced(function* ({ units }: ServicePlan) {
  const manager = yield* UserManager
  for (const { unit, ...file } of units) {
    yield* refuseOtherHome(file)
    const { load } = yield* manager.unit(unit.name)
    if (load === "masked") {
      return yield* refused(
        `${unit.name} is masked, so systemd cannot start it. Nothing was changed. ` +
          `To unmask it: systemctl --user unmask ${unit.name}`,
        "service_failed"
      )
    }
  }
})

/** Refuses to install beside a panel of this home that systemd did not start: it has the port. */
const refuseStrangePanel = Effect.fnUntraced(function* ({ units }: ServicePlan) {
  if (!units.some(({ unit }) => unit === panelUnit)) return
  const { unit } = yield* UserManager
  const panel = yield* runningPanel
  if (panel === undefined || panel.pid === (yield* unit(panelUnit.name)).mainPid) return
  return yield* refused(
    `The panel is already running with pid ${panel.pid}, but not as the service. Nothing was changed. ` +
      `Stop it with Ctrl-C, or with: kill ${panel.pid}. Then run: autopilotd install --gui`,
    "already_running"
  )
})

/** Refuses to install beside a daemon of this home that systemd did not start. */
const refuseStranger = Effect.gen(function* () {
  const { unit } = yield* UserManager
  const status = yield* ownStatus
  if (status === undefined) return
  const pid = status.data?.daemon_pid
  if (pid !== undefined && pid === (yield* unit(daemonUnit.name)).mainPid) return
  return yield* refused(
    `A daemon is already running${pid === undefined ? "" : ` with pid ${pid}`}, but not as the service. ` +
      "Nothing was changed. Stop it with: autopilotd stop. Then run: autopilotd install",
    "already_running"
  )
})

const fleetingWarnings = ({ bundle, node }: Launcher): ReadonlyArray<string> =>
  [bundle, node].flatMap((path) => {
    const why = whyFleeting(path)
    return why === undefined
      ? []
      : [
          `The service runs ${path}, which will disappear: ${why}. Install autopilotd permanently (npm install --global), then run its autopilotd install.`
        ]
  })

const lingerLine = (lingers: boolean | undefined): string => {
  switch (lingers) {
    case true:
      return "Lingering is on: the service starts with the machine and keeps running when you log out."
    case false:
      return "Lingering is off: the service stops when you log out. To keep it running: loginctl enable-linger"
    case undefined:
      return "Lingering is unknown here. To keep the service running when you log out: loginctl enable-linger"
  }
}

/** Whether a running panel was started from other files than the plan's. */
const isOutdatedFor = ({ launcher, units }: ServicePlan, service: ServiceUnit): boolean =>
  [launcher, ...units.filter(({ unit }) => unit === service)].some(
    ({ whyNotCurrent }) => whyNotCurrent !== undefined
  )

/** Writes the files that are not current. Returns their paths. */
const writeOutdated = Effect.fnUntraced(function* (
  { launcher, units }: ServicePlan,
  say: (line: string) => Effect.Effect<void>
) {
  const files = yield* ServiceFiles
  const outdated = [launcher, ...units].filter(({ whyNotCurrent }) => whyNotCurrent !== undefined)
  for (const file of outdated) {
    yield* files.write(file.path, file)
    const why = file.found === undefined ? "" : `: the previous file ${file.whyNotCurrent}`
    yield* say(`Wrote ${file.path}${why}${file.keepFormer ? `. Backup: ${file.path}.bak` : ""}`)
  }
  return outdated.map(({ path }) => path)
})

/** Has systemd load the units and start them with each session. Returns whether one was enabled. */
const enable = Effect.fnUntraced(function* (
  { units }: ServicePlan,
  say: (line: string) => Effect.Effect<void>
) {
  const manager = yield* UserManager
  const states = yield* Effect.forEach(units, ({ unit }) => manager.unit(unit.name))
  if (
    units.some(({ whyNotCurrent }) => whyNotCurrent !== undefined) ||
    states.some(({ isStale, load }) => isStale || load === "not-found")
  ) {
    yield* manager.systemctl("daemon-reload")
    yield* say("Reloaded the units (systemctl --user daemon-reload)")
  }
  let isNew = false
  for (const { unit } of units) {
    if ((yield* manager.unit(unit.name)).file === "enabled") continue
    yield* manager.systemctl("enable", unit.name)
    yield* say(`Enabled ${unit.name}: ${unit.runs} starts automatically`)
    isNew = true
  }
  return isNew
})

interface Installed extends RunningService {
  readonly plan: ServicePlan
  /** The files that were written. */
  readonly written: ReadonlyArray<string>
  readonly isEnabledNow: boolean
  /** The service ran before. It was not restarted, because that would interrupt its workers. */
  readonly wasRunning: boolean
  /** The panel of its own service, where that is installed. */
  readonly panel: (RunningPanel & { readonly isStarted: boolean }) | undefined
  readonly lingers: boolean | undefined
  readonly warnings: ReadonlyArray<string>
  /** The caller's desktop is told nothing of the night. */
  readonly isDesktopSilent: boolean
}

/** Whether the daemon runs with an older installation. */
const needsRestart = ({ status, wasRunning, written }: Installed): boolean =>
  wasRunning && (written.length > 0 || status.data?.daemon_version !== version)

const isUnchanged = ({ isEnabledNow, panel, wasRunning, written }: Installed): boolean =>
  wasRunning && !isEnabledNow && written.length === 0 && panel?.isStarted !== true

const messageOf = (installed: Installed): string =>
  isUnchanged(installed)
    ? "autopilotd is already installed as a service and runs"
    : "autopilotd is installed as a service and runs"

const dataOf = (installed: Installed) => ({
  units: installed.plan.units.map(({ path }) => path),
  launcher: installed.plan.launcher.path,
  written: installed.written,
  started: !installed.wasRunning,
  pid: installed.pid,
  needs_restart: needsRestart(installed),
  ...(installed.panel === undefined
    ? {}
    : { panel: { pid: installed.panel.pid, link: installed.panel.link } }),
  ...(installed.lingers === undefined ? {} : { lingers: installed.lingers }),
  warnings: installed.warnings
})

const closingLines = (installed: Installed, nowMs: number): ReadonlyArray<string> => {
  const { isDesktopSilent, lingers, panel, pid, status, warnings, wasRunning } = installed
  const { name } = daemonUnit
  const worker = status.data == null ? "" : ` Its worker ${workerSentence(status.data, nowMs)}.`
  const runs = wasRunning ? `${name} is running, pid ${pid}.` : `Started ${name}, pid ${pid}.`
  return [
    `${isUnchanged(installed) ? "Already installed, nothing was changed. " : ""}${runs}${worker}`,
    ...(needsRestart(installed)
      ? [
          "The running daemon still uses the previous installation. To restart it, and its workers: " +
            `systemctl --user restart ${name}`
        ]
      : []),
    ...(panel === undefined
      ? []
      : [
          `${panelUnit.name} ${panel.isStarted ? "was started" : "is running"}, pid ${panel.pid}. The panel is at ${panel.link}`,
          "The link is new after each start of the panel. To print it again: autopilotd gui"
        ]),
    lingerLine(lingers),
    ...(isDesktopSilent ? [`Notifications are off. For this desktop, run: ${desktopOn}`] : []),
    ...warnings.map((warning) => `Warning: ${warning}`),
    `Status: autopilotd status. Log: journalctl --user -u ${name}`
  ]
}

/** `autopilotd install`: makes the daemon a systemd user service, and starts it. */
export const install = Effect.fnUntraced(function* (invocation: Invocation) {
  const { options } = invocation
  const { out } = yield* CommandOutput
  const manager = yield* UserManager
  const say = (line: string) => (options.json ? Effect.void : out(`${line}\n`))

  const plan = yield* servicePlan(yield* unitFolder, { withPanel: options.gui === true })
  yield* refuseUnsuited(plan)
  const { starts } = plan.launcher
  const settings = yield* checkServiceSettings(starts, yield* manager.environment)
  yield* refuseStranger
  yield* refuseStrangePanel(plan)

  yield* prepare
  const written = yield* writeOutdated(plan, say)
  const isEnabledNow = yield* enable(plan, say)
  const { active } = yield* manager.unit(daemonUnit.name)
  const wasRunning = active === "active" || active === "reloading"
  const running = yield* wasRunning ? Effect.flatMap(Clock.currentTimeMillis, awaitService) : startService
  const panel = plan.units.some(({ unit }) => unit === panelUnit)
    ? yield* startPanelService({ isChanged: isOutdatedFor(plan, panelUnit) })
    : undefined
  const installed: Installed = {
    ...running,
    panel,
    plan,
    written,
    isEnabledNow,
    wasRunning,
    lingers: yield* manager.lingers,
    warnings: [...fleetingWarnings(starts), ...settings.warnings],
    isDesktopSilent: settings.isDesktopSilent
  }
  const lines = closingLines(installed, yield* Clock.currentTimeMillis)
  yield* sayDone(
    invocation,
    { message: messageOf(installed), data: dataOf(installed) },
    lines.map((line) => `${line}\n`).join("")
  )
})

/** `autopilotd install --print`: shows the files and commands of `install`. Changes nothing, and needs no systemd. */
export const installPrint = Effect.fnUntraced(function* (invocation: Invocation) {
  const { options } = invocation
  const { unitFolders } = yield* ServiceFiles
  const { launcher, units } = yield* servicePlan(unitFolders[0], { withPanel: options.gui === true })
  const commands = [
    "systemctl --user daemon-reload",
    ...units.flatMap(({ unit: { name } }) => [
      `systemctl --user enable ${name}`,
      `systemctl --user start ${name}`
    ])
  ]
  const files = [launcher, ...units].map(({ mode, path, text }) => ({ path, mode: mode.toString(8), text }))
  const message = "autopilotd install would write these files and run these commands. Nothing was changed"
  const parts = files.map(({ mode, path, text }) => `# ${path} (mode ${mode}):\n${text}`)
  yield* sayDone(
    invocation,
    { message, data: { files, commands } },
    [...parts, `# Then:\n${commands.join("\n")}\n`].join("\n")
  )
})
