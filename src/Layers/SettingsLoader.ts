import { dirname, join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { EffectiveSettings, WorkerToRun } from "../Domain/EffectiveSettings.ts"
import { type MemoryThresholds, thresholdsInForce } from "../Domain/MemoryThresholds.ts"
import type { RawSettings } from "../Domain/RawSettings.ts"
import type { Settings } from "../Domain/Settings.ts"
import { decodeRaw } from "../Domain/SettingsDecode.ts"
import { fromEnvironment, variableOf, workerBinaryVariable } from "../Domain/SettingsEnvironment.ts"
import { hoist, writtenAt } from "../Domain/SettingsHoist.ts"
import { type CommandLineSettings, mergeSettings, provenanceOf } from "../Domain/SettingsMerge.ts"
import { type KeyProblem, SettingsError, type SettingsProblem } from "../Domain/SettingsProblem.ts"
import {
  argvOf,
  findWorker,
  type FoundWorker,
  type NoWorkerCommand,
  type WorkerCommand
} from "../Domain/WorkerCommand.ts"
import { AutopilotHome } from "./AutopilotHome.ts"
import { SettingsFile, type SettingsText } from "./SettingsFile.ts"
import { tomlPositions } from "./TomlPositions.ts"

/** All that the settings in force depend on, beside the files. */
export interface SettingsSources {
  /** What `--config` names; without it the home's daemon.toml, which may be absent. */
  readonly configFile?: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly commandLine: CommandLineSettings
  /** The folder of whoever started the daemon. Relative paths are meant from there. */
  readonly cwd: string
  /** What `~` stands for. */
  readonly userHome: string
  /** How much memory the daemon can count on; when given, the thresholds are checked against it. */
  readonly effectiveTotalBytes?: number
}

/** How each setting is called on the command line. */
const optionNames: Readonly<Record<string, string>> = {
  working_dir: "--workdir",
  project: "--project",
  model: "--model",
  max_budget: "--max-budget",
  max_turns: "--max-turns",
  worker_command: "the command after --"
}

const problemsOf = (raw: RawSettings): ReadonlyArray<KeyProblem> =>
  Either.match(decodeRaw(raw), { onLeft: (problems) => problems, onRight: () => [] })

/** Problems of the file with their places, in the order of the file. */
const placed = Effect.fnUntraced(function* (
  file: SettingsText,
  moved: ReadonlySet<string>,
  problems: ReadonlyArray<KeyProblem>
) {
  if (problems.length === 0) return []
  const find = yield* tomlPositions(file.text)
  return problems
    .map(({ path, ...problem }): SettingsProblem => {
      const key = path.join(".")
      return { file: file.path, ...find(writtenAt(path, moved)), key, ...problem }
    })
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
})

const named = (problems: ReadonlyArray<KeyProblem>, nameOf: (problem: KeyProblem) => string) =>
  problems.map((problem): SettingsProblem => ({ key: nameOf(problem), reason: problem.reason }))

/** The thresholds on this machine, unless what they are made of is wrong already. */
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

const withHome = (path: string, userHome: string): string =>
  path === "~" ? userHome : path.startsWith("~/") ? join(userHome, path.slice(2)) : path

const commandWithHome = (command: WorkerCommand, userHome: string): WorkerCommand => {
  switch (command._tag) {
    case "Cargo":
      return command.manifestPath === undefined
        ? command
        : { ...command, manifestPath: withHome(command.manifestPath, userHome) }
    case "Binary":
      return { ...command, path: withHome(command.path, userHome) }
    case "Command": {
      const [program, ...rest] = command.argv
      return { ...command, argv: [withHome(program, userHome), ...rest] }
    }
  }
}

const absolutePaths = (settings: Settings, sources: SettingsSources, settingsFile: string): Settings => {
  const { cwd, userHome } = sources
  const envFile = settings.envFile
  return {
    ...settings,
    workingDir: resolve(cwd, withHome(settings.workingDir, userHome)),
    workerCommand: Option.map(settings.workerCommand, (command) => commandWithHome(command, userHome)),
    ...(envFile === undefined ? {} : { envFile: resolve(dirname(settingsFile), withHome(envFile, userHome)) })
  }
}

const workerOf = Effect.fnUntraced(function* (settings: Settings, source: string, sources: SettingsSources) {
  const files = yield* SettingsFile
  const { binDir } = yield* AutopilotHome
  const variable = sources.environment[workerBinaryVariable]
  const homeBinary = join(binDir, "autopilot")
  const found: Either.Either<FoundWorker, NoWorkerCommand> = Option.isSome(settings.workerCommand)
    ? Either.right({ command: settings.workerCommand.value, source })
    : findWorker({
        environmentBinary:
          variable === undefined || variable === ""
            ? undefined
            : resolve(sources.cwd, withHome(variable, sources.userHome)),
        homeBinary,
        homeBinaryExists: yield* files.exists(homeBinary),
        workingDir: settings.workingDir,
        workingDirHasCargoToml: yield* files.exists(join(settings.workingDir, "Cargo.toml"))
      })
  return Either.map(found, (worker): WorkerToRun => ({ ...worker, argv: argvOf(worker.command, settings) }))
})

/**
 * The settings in force: command line over environment over file over defaults. Every layer is checked by itself, so
 * that each problem is told in the words of its own layer, all of them at once, and none is hidden by a stronger one.
 */
export const loadSettings: (
  sources: SettingsSources
) => Effect.Effect<EffectiveSettings, SettingsError, SettingsFile | AutopilotHome> = Effect.fnUntraced(
  function* (sources) {
    const files = yield* SettingsFile
    const home = yield* AutopilotHome
    const { commandLine, configFile, cwd, effectiveTotalBytes } = sources
    const file = yield* files.read(configFile === undefined ? home.settingsFile : resolve(cwd, configFile), {
      mustExist: configFile !== undefined
    })
    const hoisted = hoist(file.raw)
    const environment = fromEnvironment(sources.environment)
    const options: RawSettings = { ...commandLine }
    const merged = mergeSettings({ file: hoisted.raw, environment, commandLine: options })
    const decoded = decodeRaw(merged.raw)
    const inFile = [...hoisted.problems, ...problemsOf(hoisted.raw)]
    const thresholds = thresholdsOf(merged.raw, inFile, effectiveTotalBytes)
    const problems = [
      ...(yield* placed(file, hoisted.moved, [...inFile, ...thresholds.problems])),
      ...named(problemsOf(environment), ({ path }) => variableOf(path) ?? path.join(".")),
      ...named(problemsOf(options), ({ path }) => optionNames[String(path[0])] ?? path.join("."))
    ]
    if (problems.length > 0) return yield* new SettingsError({ problems })
    if (Either.isLeft(decoded)) {
      return yield* new SettingsError({ problems: yield* placed(file, hoisted.moved, decoded.left) })
    }
    const settings = absolutePaths(decoded.right, sources, file.path)
    return {
      settings,
      provenance: merged.provenance,
      settingsFile: { path: file.path, found: file.found },
      envFile: { path: settings.envFile ?? home.envFile, mustExist: settings.envFile !== undefined },
      ...(thresholds.inForce === undefined ? {} : { thresholds: thresholds.inForce }),
      worker: yield* workerOf(settings, provenanceOf(merged, "worker_command"), sources)
    }
  }
)
