import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ServiceFacts } from "../../Domain/doctor/ServiceFindings.ts"
import type { UnitFacts } from "../../Domain/doctor/UnitFindings.ts"
import { type Launcher, readLauncher, whyLauncherNotCurrent } from "../../Domain/service/Launcher.ts"
import {
  daemonUnit,
  panelUnit,
  type ServiceUnit,
  unitText,
  whyUnitNotCurrent
} from "../../Domain/service/ServiceUnit.ts"
import { systemdProperties } from "../../Domain/systemd/SystemctlShow.ts"
import { troubleProperties } from "../../Domain/systemd/UnitTrouble.ts"
import { type InstalledFile, ServiceFiles } from "../service/ServiceFiles.ts"
import { UserManager } from "../service/UserManager.ts"
import { SystemdTools } from "../systemd/SystemdTools.ts"

const properties = [
  "LoadState",
  "LoadError",
  ...troubleProperties,
  "UnitFileState",
  "MainPID",
  "NeedDaemonReload",
  "Delegate",
  "MemoryHigh",
  "MemoryMax"
]

const may = (path: string, mode: number): Promise<boolean> =>
  fs.access(path, mode).then(
    () => true,
    () => false
  )

/** The modification time in milliseconds since 1970. Undefined when there is no such file. */
const writtenMs = (path: string): Effect.Effect<number | undefined> =>
  Effect.promise(() =>
    fs.stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined
    )
  )

/** The reason why a launcher of `install` starts nothing; undefined when it starts. */
const whyBroken = (launcher: Launcher): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    if (!(await may(launcher.node, fs.constants.X_OK))) return `starts ${launcher.node}, which is gone`
    if (!(await may(launcher.bundle, fs.constants.R_OK))) return `starts ${launcher.bundle}, which is gone`
    return undefined
  })

/** Why the journal cannot be read, as a sentence. Undefined when it can, even if the unit has no line in it. */
const journalProblem = Effect.gen(function* () {
  const { run } = yield* SystemdTools
  const args = ["--user", `--unit=${daemonUnit.name}`, "--lines=1", "--output=cat", "--no-pager"]
  const { code, stderr } = yield* run("journalctl", args)
  const said = stderr.trim().split("\n").join(" ")
  return code === 0 && !said.includes("No journal files") ? undefined : `${said || "It cannot be read"}.`
}).pipe(Effect.catchTag("SystemdNotAsked", ({ message }) => Effect.succeed(message)))

const propertiesOf = ({ name }: ServiceUnit) =>
  Effect.gen(function* () {
    const { run } = yield* SystemdTools
    const { stdout } = yield* run("systemctl", ["--user", "show", name, `--property=${properties.join(",")}`])
    return systemdProperties(stdout)
    // systemctl has answered just before, so that a failure is not worth a finding.
  }).pipe(Effect.orElseSucceed((): ReadonlyMap<string, string> => new Map()))

const factsOf = Effect.fnUntraced(function* (unit: ServiceUnit, { path, text = "" }: InstalledFile) {
  const { launcher, launcherPath, shipped } = yield* ServiceFiles
  const { home } = yield* launcher
  const wanted = Option.getOrUndefined(yield* Effect.option(shipped(unit)))
  const fault =
    wanted === undefined
      ? undefined
      : whyUnitNotCurrent(text, unitText(wanted, home === undefined ? undefined : launcherPath))
  return { path, fault, properties: yield* propertiesOf(unit) } satisfies UnitFacts
})

const inspectInstalled = Effect.fnUntraced(function* (unit: InstalledFile) {
  const files = yield* ServiceFiles
  const manager = yield* UserManager
  const { launcherPath } = files
  const wanted = yield* files.launcher
  const found = yield* files.read(launcherPath)
  const launcher = found?.text === undefined ? undefined : readLauncher(found.text)
  const [panel] = yield* files.installed(panelUnit)
  const facts: ServiceFacts = {
    daemonUnit: yield* factsOf(daemonUnit, unit),
    panelUnit: panel === undefined ? undefined : yield* factsOf(panelUnit, panel),
    launcherPath,
    launcherBroken:
      found === undefined ? "is missing" : launcher === undefined ? undefined : yield* whyBroken(launcher),
    launcherWrittenMs: yield* writtenMs(launcherPath),
    // The recorded PATH is right, whatever the PATH of this shell is.
    launcherFault: whyLauncherNotCurrent(found, { ...wanted, path: launcher?.path ?? wanted.path }),
    lingers: yield* manager.lingers,
    journalProblem: yield* journalProblem
  }
  const environment = yield* manager.environment
  return { sight: { _tag: "Installed", facts }, launcher, environment } as const
})

/** Inspects the service of `install`, without changing it, and reads the launcher that it starts, and its environment. */
export const inspectService = Effect.gen(function* () {
  const { installed } = yield* ServiceFiles
  const { looksIn } = yield* UserManager
  const [unit] = yield* installed(daemonUnit)
  // Without a manager install would be refused.
  yield* looksIn
  return unit === undefined
    ? ({ sight: { _tag: "NotInstalled" }, launcher: undefined, environment: {} } as const)
    : yield* inspectInstalled(unit)
}).pipe(
  Effect.catchTag("NoUserManager", ({ message }) =>
    Effect.succeed({
      sight: { _tag: "NoManager", reason: message },
      launcher: undefined,
      environment: {}
    } as const)
  )
)
