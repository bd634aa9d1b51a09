import { join, resolve } from "node:path"
import * as Either from "effect/Either"
import type { withGiven } from "../../Domain/adapter/GivenOptions.ts"
import { unnamed } from "../../Domain/Project.ts"
import type {
  EffectiveProject,
  EffectiveSettings,
  WorkerToRun
} from "../../Domain/settings/EffectiveSettings.ts"
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
import type { Timer } from "../concurrency/Timer.ts"
import type { HomePaths } from "../daemon/AutopilotHome.ts"
import type { FindPosition } from "../toml/TomlPositions.ts"
import { absolutePaths, pathBelowHome, withHome } from "./SettingsPaths.ts"
import { fileExists, readSettings, type SettingsText } from "./SettingsText.ts"

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

/** What a load needs of the program that it is in. */
export interface LoadingWorld {
  readonly timer: Timer
  readonly home: Pick<HomePaths, "settingsFile" | "envFile" | "binDir">
  /** Finds the places of keys in a text. */
  readonly positions: (text: string) => Promise<FindPosition>
  /** Gives an agent the options of the command line. */
  readonly withGiven: typeof withGiven
}

/** The problems of the file with their places, in the order of the file. */
const placed = async (
  file: SettingsText,
  problems: ReadonlyArray<KeyProblem>,
  { positions }: LoadingWorld
): Promise<ReadonlyArray<SettingsProblem>> => {
  if (problems.length === 0) return []
  const find = await positions(file.text)
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
}

/** The problems of another source, with its own names. */
const named = (raw: RawSettings, nameOf: (problem: KeyProblem) => string): ReadonlyArray<SettingsProblem> => {
  const decoded = Object.keys(raw).length === 0 ? undefined : decodeRaw(raw)
  return decoded?._tag === "Left"
    ? decoded.left.map((problem) => ({ key: nameOf(problem), reason: problem.reason }))
    : []
}

/**
 * The names of the projects in the order of the file. A JavaScript object has names that are integers first: then their
 * places in the file decide.
 */
const orderedNames = async (
  file: SettingsText,
  { positions }: LoadingWorld
): Promise<ReadonlyArray<string>> => {
  const names = tableNames(file.raw)
  if (names.length < 2 || !names.some((name) => /^\d+$/.test(name))) return names
  const find = await positions(file.text)
  const place = (name: string) => find(["projects", name]) ?? { line: 0, column: 0 }
  return names.toSorted((a, b) => place(a).line - place(b).line || place(a).column - place(b).column)
}

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

const workerOf = async (
  project: string,
  settings: Settings,
  resolved: ResolvedProject,
  sources: SettingsSources,
  { home: { binDir }, timer, withGiven }: LoadingWorld
): Promise<Either.Either<WorkerToRun, NoWorkerCommand> | SettingsError> => {
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
        homeBinaryExists: await fileExists(timer, homeBinary, homeBinary),
        workingDir: settings.workingDir,
        workingDirHasCargoToml: await fileExists(timer, join(settings.workingDir, "Cargo.toml"), project)
      })
  if (Either.isLeft(found)) return Either.left(found.left)
  const worker = workerToRun(found.right, settings, resolved.provenance, withGiven)
  return Either.isLeft(worker) ? new SettingsError({ problems: worker.left }) : Either.right(worker.right)
}

/** One project with absolute paths and its worker command. */
const effectiveProject = async (
  project: ResolvedProject,
  [mistake, ...others]: ReadonlyArray<SettingsProblem>,
  settingsFile: string,
  sources: SettingsSources,
  world: LoadingWorld
): Promise<EffectiveProject | SettingsError> => {
  const { provenance } = project
  const settings = absolutePaths(project.settings, { ...sources, settingsFile })
  const name = project.table ?? settings.project ?? unnamed
  const worker =
    mistake === undefined
      ? await workerOf(name, settings, project, sources, world)
      : Either.left(new InvalidProject({ problems: [mistake, ...others] }))
  if (worker instanceof SettingsError) return worker
  return {
    project: name,
    isTopLevel: project.table === undefined,
    settings,
    provenance,
    envFile: { path: settings.envFile ?? world.home.envFile, mustExist: settings.envFile !== undefined },
    worker
  }
}

/**
 * Loads the settings in force of every project: its own table over environment over the file's top level over defaults,
 * and the command line over all for the project it is about. Each source is checked by itself, so that all problems are
 * reported at once, with the names of their source, and a stronger source hides none. The text of a `candidate`
 * replaces that of the file. A mistake inside of one project's table makes its worker an `InvalidProject`, unless no other
 * project has a worker either.
 */
export const loadInPlainCode = async (
  sources: SettingsSources,
  world: LoadingWorld,
  candidate?: SettingsText
): Promise<EffectiveSettings | SettingsError> => {
  const path =
    sources.configFile === undefined ? world.home.settingsFile : resolve(sources.cwd, sources.configFile)
  const mustExist = sources.configFile !== undefined
  const written = candidate ?? (await readSettings(world.timer, path, { mustExist }))
  if (written instanceof SettingsError) return written
  const nameOfTop = sources.about?._tag === "TopLevel" ? sources.about.name : undefined
  const topInFile = written.raw["project"] ?? unnamed
  const taken = [nameOfTop, topInFile].filter((name) => typeof name === "string")
  const beside = withAdded(written.raw, sources.added ?? new Map(), taken)
  const file = { ...written, raw: beside.raw }
  const parts = takeApart(file.raw, await orderedNames(file, world))
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
    return new SettingsError({ problems: [...(await placed(file, usable.left, world)), ...elsewhere] })
  const { mistakes, resolved } = usable.right
  const { tables, top } = resolved
  const homeless =
    sources.userHome === undefined &&
    [top, ...tables].map(({ settings }) => pathBelowHome(settings)).find((found) => found !== undefined)
  if (homeless) {
    const reason = `is ${quoted(homeless.path)}, and there is no home folder: set HOME to an absolute path`
    return new SettingsError({ problems: [{ key: homeless.key, reason }] })
  }
  const effective = async (project: ResolvedProject) => {
    const own = mistakes.filter((mistake) => ownerOf(mistake, parts) === project.table)
    return effectiveProject(project, await placed(file, own, world), file.path, sources, world)
  }
  const ofTop = await effective(top)
  if (ofTop instanceof SettingsError) return ofTop
  const ofTables: Array<EffectiveProject> = []
  for (const found of await Promise.all(tables.map(effective))) {
    if (found instanceof SettingsError) return found
    ofTables.push(found)
  }
  const projects = supervised(ofTop, ofTables, about, outer)
  if (mistakes.length > 0 && projects.every(({ worker }) => Either.isLeft(worker)))
    return new SettingsError({ problems: await placed(file, mistakes, world) })
  return {
    settingsFile: { path: file.path, found: file.found, text: file.text },
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

/** The same, but for any mistake a failure. */
export const loadFaultless = async (
  ...given: Parameters<typeof loadInPlainCode>
): Promise<EffectiveSettings | SettingsError> => {
  const settings = await loadInPlainCode(...given)
  if (settings instanceof SettingsError) return settings
  const problems = mistakesIn(settings)
  return problems.length === 0 ? settings : new SettingsError({ problems })
}
