import * as Effect from "effect/Effect"
import {
  isLauncher,
  type Launcher,
  launcherText,
  whyLauncherNotCurrent
} from "../../Domain/service/Launcher.ts"
import {
  homeOfLauncher,
  launcherIn,
  type ServiceUnit,
  serviceUnits,
  unitText,
  whyUnitNotCurrent
} from "../../Domain/service/ServiceUnit.ts"
import { shellLine } from "../../Domain/text/ShellLine.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { type FoundFile, ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { Refused } from "../Refused.ts"

/** A file of the service: what is to stand there, and what does. */
interface PlannedFile {
  readonly path: string
  readonly text: string
  readonly mode: number
  readonly found: FoundFile | undefined
  /** Why what was found will not do; continues a sentence that begins with the path. */
  readonly whyNotCurrent: string | undefined
  /** What was found may be a person's own, so it is kept. A link only leads to it. */
  readonly keepFormer: boolean
}

/** What an installation consists of. */
export interface ServicePlan {
  readonly launcher: PlannedFile & { readonly starts: Launcher }
  readonly units: ReadonlyArray<PlannedFile & { readonly unit: ServiceUnit }>
}

/** What the units of this home start, as `launcherIn` tells it. */
const ownLauncher = Effect.gen(function* () {
  const files = yield* ServiceFiles
  const { home } = yield* files.launcher
  return home === undefined ? "default" : files.launcherPath
})

/** Whether the unit is that of this home. One that starts something else was written by hand, for the default home. */
export const servesThisHome = (text: string | undefined) =>
  Effect.map(ownLauncher, (own) => own === (text === undefined ? "default" : (launcherIn(text) ?? "default")))

/** The other home whose service this unit is; undefined for one of this home, or of none that is left. */
const otherHome = Effect.fnUntraced(function* (text: string) {
  const { userHome } = yield* Caller
  const { look } = yield* ServiceFiles
  const launcher = launcherIn(text)
  if (launcher === undefined || launcher === (yield* ownLauncher)) return undefined
  const path = launcher === "default" ? `${userHome}/.autopilot/bin/autopilotd` : launcher
  const found = yield* look(path)
  return found?.text !== undefined && isLauncher(found.text) ? homeOfLauncher(path) : undefined
})

/** Refuses to touch the service of another home. A user has one service. */
export const refuseOtherHome = Effect.fnUntraced(function* (file: {
  readonly path: string
  readonly found: FoundFile | undefined
}) {
  const other = file.found?.text === undefined ? undefined : yield* otherHome(file.found.text)
  if (other === undefined) return
  return yield* new Refused({
    reason:
      `${file.path} is the service of another home, ${other}, and a user has one. Nothing was changed. ` +
      `To remove that one: AUTOPILOT_HOME=${shellLine([other])} autopilotd uninstall`,
    isTold: false
  })
})

/** The plan for units in this folder. Nothing is changed by it. */
export const servicePlan = Effect.fnUntraced(function* (unitFolder: string) {
  const { launcher, launcherPath, look, shipped } = yield* ServiceFiles
  const starts = yield* launcher
  const launcherFound = yield* look(launcherPath)
  const units = yield* Effect.forEach(
    serviceUnits,
    Effect.fnUntraced(function* (unit) {
      const path = `${unitFolder}/${unit.name}`
      const text = unitText(yield* shipped(unit), starts.home === undefined ? undefined : launcherPath)
      const found = yield* look(path)
      const whyNotCurrent =
        found === undefined ? whyUnitNotCurrent(undefined, text) : whyUnitNotCurrent(found.text ?? "", text)
      const keepFormer = found?.isLink === false
      return { unit, path, text, mode: 0o644, found, whyNotCurrent, keepFormer }
    })
  )
  return {
    launcher: {
      starts,
      path: launcherPath,
      text: launcherText(starts),
      mode: 0o755,
      found: launcherFound,
      whyNotCurrent: whyLauncherNotCurrent(launcherFound, starts),
      keepFormer: launcherFound?.isLink === false && !isLauncher(launcherFound.text ?? "")
    },
    units
  } satisfies ServicePlan
})
