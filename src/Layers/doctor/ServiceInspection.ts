import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ServiceFacts, ServiceSight } from "../../Domain/doctor/ServiceFindings.ts"
import { type Launcher, readLauncher, whyLauncherNotCurrent } from "../../Domain/service/Launcher.ts"
import { daemonUnit, unitText, whyUnitNotCurrent } from "../../Domain/service/ServiceUnit.ts"
import { systemdProperties } from "../../Domain/systemd/SystemctlShow.ts"
import { type InstalledFile, ServiceFiles } from "../service/ServiceFiles.ts"
import { UserManager } from "../service/UserManager.ts"
import { SystemdTools } from "../systemd/SystemdTools.ts"

/** The service, and the launcher that was found. */
export interface ServiceFound {
  readonly sight: ServiceSight
  /** What the service starts, where `install` has written it. */
  readonly launcher: Launcher | undefined
}

/** Looks at the service that `install` makes, without changing anything. */
export class ServiceInspection extends Context.Tag("ServiceInspection")<
  ServiceInspection,
  { readonly inspect: Effect.Effect<ServiceFound> }
>() {}

const properties = [
  "LoadState",
  "LoadError",
  "ActiveState",
  "Result",
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

/** Undefined when there is no such file. */
const writtenMs = (path: string): Effect.Effect<number | undefined> =>
  Effect.promise(() =>
    fs.stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined
    )
  )

/** Why a launcher that `install` has written starts nothing. */
const whyBroken = (launcher: Launcher): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    if (!(await may(launcher.node, fs.constants.X_OK))) return `starts ${launcher.node}, which is gone`
    if (!(await may(launcher.bundle, fs.constants.R_OK))) return `starts ${launcher.bundle}, which is gone`
    return undefined
  })

const make = Effect.gen(function* () {
  const files = yield* ServiceFiles
  const manager = yield* UserManager
  const tools = yield* SystemdTools

  /** Nothing but the problem: a unit without a line is well too. */
  const journalProblem = tools
    .run("journalctl", ["--user", `--unit=${daemonUnit.name}`, "--lines=1", "--output=cat", "--no-pager"])
    .pipe(
      Effect.map(({ code, stderr }) => {
        const said = stderr.trim().split("\n").join(" ")
        return code === 0 && !said.includes("No journal files")
          ? undefined
          : `${said || "It cannot be read"}.`
      }),
      Effect.catchTag("SystemdNotAsked", ({ message }) => Effect.succeed(message))
    )

  const shown = tools
    .run("systemctl", ["--user", "show", daemonUnit.name, `--property=${properties.join(",")}`])
    .pipe(
      Effect.map(({ stdout }) => systemdProperties(stdout)),
      // It has answered just before.
      Effect.orElseSucceed((): ReadonlyMap<string, string> => new Map())
    )

  const factsOf = Effect.fnUntraced(function* (unit: InstalledFile) {
    const { launcherPath } = files
    const wanted = yield* files.launcher
    const found = yield* files.look(launcherPath)
    const launcher = found?.text === undefined ? undefined : readLauncher(found.text)
    const shipped = yield* Effect.option(files.shipped(daemonUnit))
    const wantedUnit =
      shipped._tag === "Some"
        ? unitText(shipped.value, wanted.home === undefined ? undefined : launcherPath)
        : undefined
    const facts: ServiceFacts = {
      unitPath: unit.path,
      unitFault: wantedUnit === undefined ? undefined : whyUnitNotCurrent(unit.text ?? "", wantedUnit),
      launcherPath,
      launcherBroken:
        found === undefined
          ? "is not there"
          : launcher === undefined
            ? undefined
            : yield* whyBroken(launcher),
      launcherWrittenMs: yield* writtenMs(launcherPath),
      // The PATH of this shell is not the one to compare with: the recorded one was the right one then.
      launcherFault: whyLauncherNotCurrent(found, { ...wanted, path: launcher?.path ?? wanted.path }),
      properties: yield* shown,
      lingers: yield* manager.lingers,
      journalProblem: yield* journalProblem
    }
    return { sight: { _tag: "Installed", facts }, launcher } as const
  })

  return ServiceInspection.of({
    inspect: Effect.gen(function* () {
      const [unit] = yield* files.installed(daemonUnit)
      if (unit === undefined) return { sight: { _tag: "NotInstalled" }, launcher: undefined } as const
      return yield* Effect.zipRight(manager.looksIn, factsOf(unit))
    }).pipe(
      Effect.catchTag("NoUserManager", ({ message }) =>
        Effect.succeed({ sight: { _tag: "NoManager", reason: message }, launcher: undefined } as const)
      )
    )
  })
})

export const layer: Layer.Layer<ServiceInspection, never, ServiceFiles | UserManager | SystemdTools> =
  Layer.effect(ServiceInspection, make)
