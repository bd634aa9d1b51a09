import { dirname, join, resolve } from "node:path"
import * as Record from "effect/Record"
import type { Channel } from "../../Domain/settings/NotifySettings.ts"
import type { Settings } from "../../Domain/settings/Settings.ts"
import type { WorkerCommand } from "../../Domain/settings/WorkerCommand.ts"

/** The folders at which relative paths of the settings begin. */
interface PathBases {
  /** The folder in which the daemon was started. */
  readonly cwd: string
  /** The meaning of `~`; undefined where the user has no home. */
  readonly userHome: string | undefined
  /** The absolute path of the settings file: the paths of the env file and of files with secrets begin in its folder. */
  readonly settingsFile: string
}

const isBelowHome = (path: string): boolean => path === "~" || path.startsWith("~/")

/** Replaces `~` at the beginning of a path. */
export const withHome = (path: string, userHome: string | undefined): string =>
  isBelowHome(path) && userHome !== undefined ? join(userHome, path.slice(1)) : path

/** The absolute path of a folder that a user names. */
export const folderAt = (path: string, { cwd, userHome }: Pick<PathBases, "cwd" | "userHome">): string =>
  resolve(cwd, withHome(path, userHome))

/** The path in a command that may begin with `~`. */
const pathOf = (command: WorkerCommand): string | undefined => {
  switch (command._tag) {
    case "Cargo":
      return command.manifestPath
    case "Binary":
      return command.path
    case "Claude":
      return [command.promptFile, command.binary].find((path) => path !== undefined && isBelowHome(path))
    case "Command":
      return command.argv[0]
  }
}

/** The first setting whose path begins with `~`, with its key. */
export const pathBelowHome = ({
  envFile,
  heartbeat,
  metrics,
  restart,
  workerCommand,
  workingDir
}: Settings): { readonly key: string; readonly path: string } | undefined => {
  const command = workerCommand && pathOf(workerCommand)
  return [
    { key: "working_dir", path: workingDir },
    { key: "worker_command", path: command ?? "" },
    { key: "env_file", path: envFile ?? "" },
    { key: "heartbeat.url_file", path: heartbeat.urlFile ?? "" },
    { key: "metrics.token_file", path: metrics.tokenFile ?? "" },
    { key: "metrics.otlp_headers_file", path: metrics.otlpHeadersFile ?? "" },
    ...restart.stallFiles.map((path) => ({ key: "restart.stall_files", path }))
  ].find(({ path }) => isBelowHome(path))
}

const commandWithHome = (
  command: WorkerCommand,
  userHome: string | undefined,
  workingDir: string
): WorkerCommand => {
  switch (command._tag) {
    case "Cargo":
      return command.manifestPath === undefined
        ? command
        : { ...command, manifestPath: withHome(command.manifestPath, userHome) }
    case "Binary":
      return { ...command, path: withHome(command.path, userHome) }
    case "Claude":
      return {
        ...command,
        binary: withHome(command.binary, userHome),
        ...(command.promptFile === undefined
          ? {}
          : { promptFile: resolve(workingDir, withHome(command.promptFile, userHome)) })
      }
    case "Command": {
      const [program, ...rest] = command.argv
      return { ...command, argv: [withHome(program, userHome), ...rest] }
    }
  }
}

const fileKeys: ReadonlyArray<string> = ["url_file", "token_file", "secret_file"]

/** The files of a channel stand beside the settings, as the env file does. */
const channelWithFiles = (channel: Channel, absolute: (path: string) => string): Channel => ({
  ...channel,
  ...Object.fromEntries(
    Object.entries(channel).flatMap(([key, value]) =>
      fileKeys.includes(key) && typeof value === "string" ? [[key, absolute(value)]] : []
    )
  )
})

/** Makes the paths of settings absolute, but those of programs, which begin in the worker's folder. */
export const absolutePaths = (settings: Settings, { cwd, settingsFile, userHome }: PathBases): Settings => {
  const { envFile, heartbeat, metrics, notify, restart, workerCommand } = settings
  const workingDir = resolve(cwd, withHome(settings.workingDir, userHome))
  const besideSettings = (path: string) => resolve(dirname(settingsFile), withHome(path, userHome))
  return {
    ...settings,
    workingDir,
    restart: {
      ...restart,
      stallFiles: restart.stallFiles.map((path) => resolve(workingDir, withHome(path, userHome)))
    },
    heartbeat: {
      ...heartbeat,
      ...(heartbeat.urlFile === undefined ? {} : { urlFile: besideSettings(heartbeat.urlFile) })
    },
    metrics: {
      ...metrics,
      ...(metrics.tokenFile === undefined ? {} : { tokenFile: besideSettings(metrics.tokenFile) }),
      ...(metrics.otlpHeadersFile === undefined
        ? {}
        : { otlpHeadersFile: besideSettings(metrics.otlpHeadersFile) })
    },
    notify: { ...notify, to: Record.map(notify.to, (channel) => channelWithFiles(channel, besideSettings)) },
    ...(workerCommand === undefined
      ? {}
      : { workerCommand: commandWithHome(workerCommand, userHome, workingDir) }),
    ...(envFile === undefined ? {} : { envFile: besideSettings(envFile) })
  }
}
