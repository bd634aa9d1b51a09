import { join, resolve } from "node:path"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { unnamed } from "../../Domain/Project.ts"
import type { EffectiveProject, EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import { type MemoryThresholds, thresholdsInForce } from "../../Domain/settings/MemoryThresholds.ts"
import { mistakesIn } from "../../Domain/settings/RefusedProjects.ts"
import type { Settings } from "../../Domain/settings/Settings.ts"
import { decodeRaw } from "../../Domain/settings/SettingsDecode.ts"
import {
  fromEnvironment,
  variableOf,
  workerBinaryVariable
} from "../../Domain/settings/SettingsEnvironment.ts"
import {
  type CommandLineSettings,
  optionNames,
  provenanceOf,
  unitCommandLine
} from "../../Domain/settings/SettingsMerge.ts"
import {
  InvalidProject,
  type KeyProblem,
  SettingsError,
  type SettingsProblem
} from "../../Domain/settings/SettingsProblem.ts"
import {
  type AboutProject,
  type AddedProjects,
  aboutOf,
  problemsOf,
  settingsIn,
  tableNames,
  takeApart,
  withAdded
} from "../../Domain/settings/SettingsProjects.ts"
import {
  ownerOf,
  type ResolvedProject,
  supervised,
  usableSettings
} from "../../Domain/settings/SettingsResolve.ts"
import {
  type FoundWorker,
  findWorker,
  type NoWorkerCommand,
  workerToRun
} from "../../Domain/settings/WorkerLookup.ts"
import { quoted } from "../../Domain/text/Printable.ts"
import { keyPathText } from "../../Domain/toml/KeyPath.ts"
import type { RawSettings } from "../../Domain/toml/RawSettings.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { tomlPositions } from "../toml/TomlPositions.ts"
import { SettingsFile, type SettingsText } from "./SettingsFile.ts"
import { absolutePaths, pathBelowHome, withHome } from "./SettingsPaths.ts"

/** Everything besides the files that the settings in force depend on. */
export interface SettingsSources {
  /** The path of `--config`; without it the home's daemon.toml, which may be absent. */
  readonly configFile?: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly commandLine: CommandLineSettings
  /** The folder in which the daemon was started. Relative paths begin there. */
  readonly cwd: string
  /** The meaning of `~`; undefined where the user has no home. */
  readonly userHome: string | undefined
  /** The memory of the machine or container, in bytes. The thresholds are checked against it if it is known. */
  readonly effectiveTotalBytes?: number
  /** The projects beside those of the file. */
  readonly added?: AddedProjects
  /** The project that the command line is about, from an earlier load. Without it the present file decides. */
  readonly about?: AboutProject
}

/** The problems of the file with their places, in the order of the file. */
const placed = Effect.fnUntraced(function* (file: SettingsText, problems: ReadonlyArray<KeyProblem>) {
  if (problems.length === 0) return []
  const find = yield* tomlPositions(file.text)
  return problems
    .map(
      ({ path, writtenAt, ...problem }): SettingsProblem => ({
        file: file.path,
        ...find(writtenAt ?? path),
        key: keyPathText(path.map(String)),
        ...problem
      })
    )
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
})

/** The problems of another source, with its own names. */
const named = (raw: RawSettings, nameOf: (problem: KeyProblem) => string): ReadonlyArray<SettingsProblem> =>
  Either.match(decodeRaw(raw), {
    onLeft: (problems) => problems.map((problem) => ({ key: nameOf(problem), reason: problem.reason })),
    onRight: () => []
  })

/**
 * The names of the projects in the order of the file. A JavaScript object has names that are integers first: then their
 * places in the file decide.
 */
const orderedNames = Effect.fnUntraced(function* (file: SettingsText) {
  const names = tableNames(file.raw)
  if (names.length < 2 || !names.some((name) => /^\d+$/.test(name))) return names
  const find = yield* tomlPositions(file.text)
  const place = (name: string) => find(["projects", name]) ?? { line: 0, column: 0 }
  return names.toSorted((a, b) => place(a).line - place(b).line || place(a).column - place(b).column)
})

/** The thresholds on this machine, unless the memory settings have problems already. */
const thresholdsOf = (
  raw: RawSettings,
  known: ReadonlyArray<KeyProblem>,
  effectiveTotalBytes: number | undefined
): { readonly inForce?: MemoryThresholds; readonly problems: ReadonlyArray<KeyProblem> } => {
  if (effectiveTotalBytes === undefined || known.some(({ path }) => path[0] === "memory"))
    return { problems: [] }
  const memory = decodeRaw({ memory: raw["memory"] ?? {} })
  if (Either.isLeft(memory)) return { problems: memory.left }
  return Either.match(thresholdsInForce(memory.right.memory, effectiveTotalBytes), {
    onLeft: (problems) => ({ problems }),
    onRight: (inForce) => ({ inForce, problems: [] })
  })
}

/** systemd tells the process that it starts its own pid (systemd.exec(5)). */
const sourceOfWorker = (source: string, { environment }: SettingsSources): string =>
  source === "command line" && environment["SYSTEMD_EXEC_PID"] === String(process.pid)
    ? unitCommandLine
    : source

const workerOf = Effect.fnUntraced(function* (
  project: string,
  settings: Settings,
  resolved: ResolvedProject,
  sources: SettingsSources
) {
  const files = yield* SettingsFile
  const { binDir } = yield* AutopilotHome
  const variable = sources.environment[workerBinaryVariable]
  const homeBinary = join(binDir, "autopilot")
  const found: Either.Either<FoundWorker, NoWorkerCommand> = settings.workerCommand
    ? Either.right({
        command: settings.workerCommand,
        source: sourceOfWorker(provenanceOf(resolved, "worker_command"), sources)
      })
    : findWorker({
        environmentBinary:
          variable === undefined || variable === ""
            ? undefined
            : resolve(sources.cwd, withHome(variable, sources.userHome)),
        homeBinary,
        homeBinaryExists: yield* files.exists(homeBinary, homeBinary),
        workingDir: settings.workingDir,
        workingDirHasCargoToml: yield* files.exists(join(settings.workingDir, "Cargo.toml"), project)
      })
  if (Either.isLeft(found)) return Either.left(found.left)
  const worker = workerToRun(found.right, settings, resolved.provenance)
  if (Either.isLeft(worker)) return yield* new SettingsError({ problems: worker.left })
  return Either.right(worker.right)
})

/** One project with absolute paths and its worker command. */
const effectiveProject = Effect.fnUntraced(function* (
  project: ResolvedProject,
  mistakes: ReadonlyArray<SettingsProblem>,
  settingsFile: string,
  sources: SettingsSources
) {
  const home = yield* AutopilotHome
  const { provenance } = project
  const settings = absolutePaths(project.settings, { ...sources, settingsFile })
  const name = project.table ?? settings.project ?? unnamed
  return {
    project: name,
    isTopLevel: project.table === undefined,
    settings,
    provenance,
    envFile: { path: settings.envFile ?? home.envFile, mustExist: settings.envFile !== undefined },
    worker: Arr.isNonEmptyReadonlyArray(mistakes)
      ? Either.left(new InvalidProject({ problems: mistakes }))
      : yield* workerOf(name, settings, project, sources)
  } satisfies EffectiveProject
})

const readFile = Effect.fnUntraced(function* ({ configFile, cwd }: SettingsSources) {
  const home = yield* AutopilotHome
  const path = configFile === undefined ? home.settingsFile : resolve(cwd, configFile)
  return yield* (yield* SettingsFile).read(path, { mustExist: configFile !== undefined })
})

/**
 * Loads the settings in force of every project: its own table over environment over the file's top level over defaults,
 * and the command line over all for the project it is about. Each source is checked by itself, so that all problems are
 * reported at once, with the names of their source, and a stronger source hides none. The text of a `candidate`
 * replaces that of the file. A mistake inside of one project's table makes its worker an `InvalidProject`, unless no other
 * project has a worker either.
 */
export const loadUsable: (
  sources: SettingsSources,
  candidate?: SettingsText
) => Effect.Effect<EffectiveSettings, SettingsError, SettingsFile | AutopilotHome> = Effect.fnUntraced(
  function* (sources, candidate) {
    const written = candidate ?? (yield* readFile(sources))
    const nameOfTop = sources.about?._tag === "TopLevel" ? sources.about.name : undefined
    const topInFile = written.raw["project"] ?? unnamed
    const taken = [nameOfTop, topInFile].filter((name) => typeof name === "string")
    const beside = withAdded(written.raw, sources.added ?? new Map(), taken)
    const file = { ...written, raw: beside.raw }
    const parts = takeApart(file.raw, yield* orderedNames(file))
    const outer = {
      environment: fromEnvironment(sources.environment),
      commandLine: { ...sources.commandLine } satisfies RawSettings
    }
    const about = sources.about ?? aboutOf(outer, parts.tables)
    const inFile = problemsOf(parts, about)
    const thresholds = thresholdsOf(parts.top.raw, inFile, sources.effectiveTotalBytes)
    const elsewhere = [
      ...named(outer.environment, ({ path }) => variableOf(path) ?? keyPathText(path.map(String))),
      ...named(outer.commandLine, ({ path }) => optionNames[String(path[0])] ?? keyPathText(path.map(String)))
    ]
    const isGeneral =
      elsewhere.length + thresholds.problems.length > 0 ||
      inFile.some((problem) => ownerOf(problem, parts) === undefined)
    const usable = isGeneral
      ? Either.left([...inFile, ...thresholds.problems])
      : usableSettings(parts, inFile, outer, about)
    if (Either.isLeft(usable))
      return yield* new SettingsError({ problems: [...(yield* placed(file, usable.left)), ...elsewhere] })
    const { mistakes, resolved } = usable.right
    const { tables, top } = resolved
    const homeless =
      sources.userHome === undefined &&
      [top, ...tables].map(({ settings }) => pathBelowHome(settings)).find((found) => found !== undefined)
    if (homeless) {
      const reason = `is ${quoted(homeless.path)}, and there is no home folder: set HOME to an absolute path`
      return yield* new SettingsError({ problems: [{ key: homeless.key, reason }] })
    }
    const effective = Effect.fnUntraced(function* (project: ResolvedProject) {
      const own = mistakes.filter((mistake) => ownerOf(mistake, parts) === project.table)
      const found: EffectiveProject = yield* effectiveProject(
        project,
        yield* placed(file, own),
        file.path,
        sources
      )
      return found
    })
    const ofTop = yield* effective(top)
    const projects = supervised(
      ofTop,
      yield* Effect.forEach(tables, effective, { concurrency: "unbounded" }),
      about,
      outer
    )
    if (mistakes.length > 0 && projects.every(({ worker }) => Either.isLeft(worker)))
      return yield* new SettingsError({ problems: yield* placed(file, mistakes) })
    return {
      settingsFile: { path: file.path, found: file.found, sha256: file.sha256, text: file.text },
      added: beside.names,
      projects,
      named: about._tag === "Table" ? tables.find(({ table }) => table === about.name)?.table : undefined,
      about,
      fileSettings: settingsIn(parts),
      memory: ofTop.settings.memory,
      ...(thresholds.inForce === undefined ? {} : { thresholds: thresholds.inForce }),
      history: ofTop.settings.history,
      metrics: ofTop.settings.metrics,
      heartbeat: ofTop.settings.heartbeat,
      notify: ofTop.settings.notify,
      watchConfig: ofTop.settings.watchConfig
    }
  }
)

/** The same, but for any mistake a failure. */
export const loadSettings = Effect.fnUntraced(function* (sources: SettingsSources, candidate?: SettingsText) {
  const settings = yield* loadUsable(sources, candidate)
  const problems = mistakesIn(settings)
  return problems.length > 0 ? yield* new SettingsError({ problems }) : settings
})
