import { dirname, join, resolve } from "node:path"
import * as Option from "effect/Option"
import type { Settings } from "../../Domain/settings/Settings.ts"
import type { WorkerCommand } from "../../Domain/settings/WorkerCommand.ts"

/** The folders at which relative paths of the settings begin. */
interface PathBases {
  /** The folder in which the daemon was started. */
  readonly cwd: string
  /** The meaning of `~`. */
  readonly userHome: string
  /** The absolute path of the settings file: the path of the env file begins in its folder. */
  readonly settingsFile: string
}

/** Replaces `~` at the beginning of a path. */
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

/** Makes the paths of settings absolute, but those of a worker command, which begin in the worker's folder. */
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
