import { dirname, join, resolve } from "node:path"
import * as Option from "effect/Option"
import type { Settings } from "../../Domain/settings/Settings.ts"
import type { WorkerCommand } from "../../Domain/settings/WorkerCommand.ts"

/** The folders from which paths in the settings are meant. */
interface PathBases {
  /** Of whoever started the daemon. */
  readonly cwd: string
  /** What `~` stands for. */
  readonly userHome: string
  /** The settings file, absolute: the env file is meant from beside it. */
  readonly settingsFile: string
}

/** A path in which `~` is resolved. */
export const withHome = (path: string, userHome: string): string =>
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

/** Settings with their paths made absolute. Those of a worker command are left for the worker's own folder. */
export const absolutePaths = (settings: Settings, { cwd, settingsFile, userHome }: PathBases): Settings => {
  const { envFile, restart } = settings
  const workingDir = resolve(cwd, withHome(settings.workingDir, userHome))
  return {
    ...settings,
    workingDir,
    restart: {
      ...restart,
      stallFiles: restart.stallFiles.map((path) => resolve(workingDir, withHome(path, userHome)))
    },
    workerCommand: Option.map(settings.workerCommand, (command) => commandWithHome(command, userHome)),
    ...(envFile === undefined ? {} : { envFile: resolve(dirname(settingsFile), withHome(envFile, userHome)) })
  }
}
