import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { isLauncher } from "../../Domain/service/Launcher.ts"
import { daemonUnit, panelUnit, type ServiceUnit, serviceUnits } from "../../Domain/service/ServiceUnit.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { UserManager } from "../../Layers/service/UserManager.ts"
import { sayDone } from "../Answer.ts"
import { Refused } from "../Refused.ts"
import { refuseOtherHome } from "./ServicePlan.ts"

/** The existing files of units. A mask belongs to the user. */
const filesOf = Effect.fnUntraced(function* (wanted: ReadonlyArray<ServiceUnit>) {
  const { installed } = yield* ServiceFiles
  const seen = yield* Effect.forEach(wanted, (unit) =>
    Effect.map(installed(unit), (files) => files.map((found) => ({ unit, path: found.path, found })))
  )
  return seen.flat().filter(({ found }) => !found.isMask)
})

const isDown = (active: string): boolean => active === "inactive" || active === "failed"

/** Stops and disables a unit, which may run although its file was removed. Returns whether it ran. */
const takeDown = Effect.fnUntraced(function* (
  service: ServiceUnit,
  isThere: boolean,
  say: (line: string) => Effect.Effect<void>
) {
  const { name } = service
  const { systemctl, unit } = yield* UserManager
  const { active, isStale, load } = yield* unit(name)
  const isRunning = !isDown(active) && (isThere || isStale || load === "not-found")
  if (isRunning) {
    const workers = " and its workers, which may take as long as restart.stop_grace_ms"
    yield* say(`Stopping ${name}${service === daemonUnit ? workers : ""}`)
    yield* systemctl("stop", name)
  }
  if (isThere) {
    yield* systemctl("disable", name)
    yield* say(`Disabled ${name}`)
  } else if (isRunning) {
    // systemctl removes the link that would start it, but fails, because the file is gone.
    yield* Effect.ignore(systemctl("disable", name))
  }
  return isRunning
})

/** `autopilotd uninstall`: stops and removes the services, or the panel's alone. Settings, logs and history stay. */
export const uninstall = Effect.fnUntraced(function* (invocation: Invocation) {
  const { options } = invocation
  const { out } = yield* CommandOutput
  const { root } = yield* AutopilotHome
  const files = yield* ServiceFiles
  const manager = yield* UserManager
  const say = (line: string) => (options.json ? Effect.void : out(`${line}\n`))

  const wanted = options.gui === true ? [panelUnit] : serviceUnits
  const units = yield* filesOf(wanted)
  for (const file of units) yield* refuseOtherHome(file)
  const launcher = yield* files.read(files.launcherPath)
  // The launcher stays with the service of the daemon.
  const isOurLauncher =
    wanted.includes(daemonUnit) && launcher?.text !== undefined && isLauncher(launcher.text)
  const toRemove = [...units.map(({ path }) => path), ...(isOurLauncher ? [files.launcherPath] : [])]

  const reached = yield* Effect.either(manager.looksIn)
  if (Either.isLeft(reached) && toRemove.length > 0) {
    return yield* new Refused({
      reason:
        `${reached.left.message}\nNothing was removed, because the service could not be stopped. Its files:\n` +
        toRemove.map((path) => `  ${path}`).join("\n"),
      code: "service_failed"
    })
  }
  const down: Array<ServiceUnit> = []
  if (Either.isRight(reached)) {
    for (const service of wanted) {
      const isThere = units.some(({ unit }) => unit === service)
      if ((yield* takeDown(service, isThere, say)) || isThere) down.push(service)
    }
  }
  for (const path of toRemove) {
    yield* files.remove(path)
    yield* say(`Removed ${path}`)
  }
  if (down.length > 0) {
    yield* manager.systemctl("daemon-reload")
    // Fails for a unit that systemd has already unloaded.
    for (const { name } of down) yield* Effect.ignore(manager.systemctl("reset-failed", name))
  }
  const beside = yield* Effect.forEach(units, ({ path }) => files.beside(path))
  const foreign =
    wanted.includes(daemonUnit) && launcher !== undefined && !isOurLauncher ? [files.launcherPath] : []
  const left = [...beside.flat(), ...foreign]
  const isGone = toRemove.length > 0 || down.length > 0
  const message = isGone
    ? down.length > 1
      ? "The services were removed"
      : "The service was removed"
    : `Nothing to remove: ${options.gui === true ? panelUnit.runs : "autopilotd"} is not installed as a service`
  const text = [
    ...left.map((path) => `Kept ${path}: autopilotd did not write it`),
    `${message}.${isGone ? ` Settings, logs and history stay in ${root}.` : ""}`
  ]
  yield* sayDone(
    invocation,
    { message, data: { removed: toRemove, left, kept: root } },
    text.map((line) => `${line}\n`).join("")
  )
})
