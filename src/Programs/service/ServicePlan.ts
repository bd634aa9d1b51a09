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
  panelUnit,
  type ServiceUnit,
  serviceUnits,
  unitText,
  whyUnitNotCurrent
} from "../../Domain/service/ServiceUnit.ts"
import { shellLine } from "../../Domain/text/ShellLine.ts"
import { homeOfCaller } from "../../Layers/daemon/Caller.ts"
import { type FoundFile, ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { Refused } from "../Refused.ts"

/** A file of the service: the planned text, and the file that was found. */
interface PlannedFile {
  readonly path: string
  readonly text: string
  readonly mode: number
  readonly found: FoundFile | undefined
  /** How the file that was found differs; continues a sentence that begins with the path. Undefined when it does not. */
  readonly whyNotCurrent: string | undefined
  /** Keeps a backup of a file that may be the user's own. A link needs none, because its target stays. */
  readonly keepFormer: boolean
}

/** The files of an installation. */
export interface ServicePlan {
  readonly launcher: PlannedFile & { readonly starts: Launcher }
  readonly units: ReadonlyArray<PlannedFile & { readonly unit: ServiceUnit }>
}

/** The launcher of this home, in the form of `launcherIn`. */
const ownLauncher = Effect.gen(function* () {
  const files = yield* ServiceFiles
  const { home } = yield* files.launcher
  return home === undefined ? "default" : files.launcherPath
})

/** Whether a unit serves this home. A unit that starts another program was written by hand, for the default home. */
export const servesThisHome = (text: string | undefined) =>
  Effect.map(ownLauncher, (own) => own === (text === undefined ? "default" : (launcherIn(text) ?? "default")))

/** Returns the other home that a unit serves. Undefined for this home, or for one whose launcher is gone. */
const otherHome = Effect.fnUntraced(function* (text: string) {
  const userHome = yield* homeOfCaller
  const { read } = yield* ServiceFiles
  const launcher = launcherIn(text)
  if (launcher === undefined || launcher === (yield* ownLauncher)) return undefined
  const path = launcher === "default" ? `${userHome}/.autopilot/bin/autopilotd` : launcher
  const found = yield* read(path)
  return found?.text !== undefined && isLauncher(found.text) ? homeOfLauncher(path) : undefined
})

/** Refuses to change the service of another home, because a user has one service. */
export const refuseOtherHome = Effect.fnUntraced(function* (file: {
  readonly path: string
  readonly found: FoundFile | undefined
}) {
  const other = file.found?.text === undefined ? undefined : yield* otherHome(file.found.text)
  if (other === undefined) return
  return yield* new Refused({
    reason:
      `${file.path} is the service of another home, ${other}, and a user has only one service. Nothing was changed. ` +
      `To remove it: AUTOPILOT_HOME=${shellLine([other])} autopilotd uninstall`,
    code: "refused"
  })
})

/** The units to install: the panel's if asked for, or if it is there, so that it stays current. */
const wantedUnits = Effect.fnUntraced(function* (withPanel: boolean) {
  const { installed } = yield* ServiceFiles
  const hasPanel = withPanel || (yield* installed(panelUnit)).some(({ isMask }) => !isMask)
  return serviceUnits.filter((unit) => unit !== panelUnit || hasPanel)
})

/** Plans the files for units in this folder. Changes nothing. */
export const servicePlan = Effect.fnUntraced(function* (
  unitFolder: string,
  { withPanel }: { readonly withPanel: boolean }
) {
  const { launcher, launcherPath, read, shipped } = yield* ServiceFiles
  const starts = yield* launcher
  const launcherFound = yield* read(launcherPath)
  const units = yield* Effect.forEach(
    yield* wantedUnits(withPanel),
    Effect.fnUntraced(function* (unit) {
      const path = `${unitFolder}/${unit.name}`
      const text = unitText(yield* shipped(unit), starts.home === undefined ? undefined : launcherPath)
      const found = yield* read(path)
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
