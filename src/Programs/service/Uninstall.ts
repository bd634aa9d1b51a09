import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { isLauncher } from "../../Domain/service/Launcher.ts"
import { serviceUnits } from "../../Domain/service/ServiceUnit.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { UserManager } from "../../Layers/service/UserManager.ts"
import { Refused } from "../Refused.ts"
import { refuseOtherHome } from "./ServicePlan.ts"

/** The units' files that are there, in whichever folder. A mask is a person's own. */
const installedUnits = Effect.gen(function* () {
  const { installed } = yield* ServiceFiles
  const seen = yield* Effect.forEach(serviceUnits, (unit) =>
    Effect.map(installed(unit), (files) => files.map((found) => ({ unit, path: found.path, found })))
  )
  return seen.flat().filter(({ found }) => !found.isMask)
})

/** States in which nothing of a unit runs. */
const isDown = (active: string): boolean => active === "inactive" || active === "failed"

/** Stops a unit and keeps it from starting again. Returns whether it ran. One whose file was removed by hand may do so. */
const takeDown = Effect.fnUntraced(function* (
  name: string,
  isThere: boolean,
  say: (line: string) => Effect.Effect<void>
) {
  const { tell, unit } = yield* UserManager
  const { active, isStale, load } = yield* unit(name)
  const isRunning = !isDown(active) && (isThere || isStale || load === "not-found")
  if (isRunning) {
    yield* say(`Stopping ${name}: its workers are ended gracefully, which may take restart.stop_grace_ms`)
    yield* tell("stop", name)
  }
  if (isThere) {
    yield* tell("disable", name)
    yield* say(`Disabled ${name}`)
  } else if (isRunning) {
    // It removes the link that would start it, and calls that a failure, because the file is gone.
    yield* Effect.ignore(tell("disable", name))
  }
  return isRunning
})

/** `autopilotd uninstall`: the service is stopped and removed; settings, logs and history stay. */
export const uninstall = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { out } = yield* CommandOutput
  const { root } = yield* AutopilotHome
  const files = yield* ServiceFiles
  const manager = yield* UserManager
  const say = (line: string) => (options.json ? Effect.void : out(`${line}\n`))

  const units = yield* installedUnits
  for (const file of units) yield* refuseOtherHome(file)
  const launcher = yield* files.look(files.launcherPath)
  const isOurLauncher = launcher?.text !== undefined && isLauncher(launcher.text)
  const toRemove = [...units.map(({ path }) => path), ...(isOurLauncher ? [files.launcherPath] : [])]

  const reached = yield* Effect.either(manager.looksIn)
  if (Either.isLeft(reached) && toRemove.length > 0) {
    return yield* new Refused({
      reason:
        `${reached.left.message}\nNothing was removed, for the service could not be stopped. There are:\n` +
        toRemove.map((path) => `  ${path}`).join("\n"),
      isTold: false
    })
  }
  let wasRunning = false
  if (Either.isRight(reached)) {
    for (const { name } of serviceUnits) {
      const isThere = units.some(({ unit }) => unit.name === name)
      if (yield* takeDown(name, isThere, say)) wasRunning = true
    }
  }
  for (const path of toRemove) {
    yield* files.remove(path)
    yield* say(`Removed ${path}`)
  }
  if (Either.isRight(reached) && (units.length > 0 || wasRunning)) {
    yield* manager.tell("daemon-reload")
    // A unit that systemd has forgotten by now is what is wanted.
    for (const { name } of serviceUnits) yield* Effect.ignore(manager.tell("reset-failed", name))
  }
  const beside = yield* Effect.forEach(units, ({ path }) => files.beside(path))
  const foreign = launcher !== undefined && !isOurLauncher ? [files.launcherPath] : []
  const left = [...beside.flat(), ...foreign]
  const isGone = toRemove.length > 0 || wasRunning
  const message = isGone
    ? "The service is removed"
    : "There is nothing to remove: autopilotd is not installed as a service"
  if (options.json) {
    const answer = { success: true, message, removed: toRemove, left, kept: root }
    return yield* out(`${JSON.stringify(answer)}\n`)
  }
  for (const path of left) yield* say(`Left ${path}: it is yours`)
  yield* say(`${message}.${isGone ? ` Settings, logs and history stay in ${root}.` : ""}`)
})
