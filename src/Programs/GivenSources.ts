import type { Invocation, parse } from "../Domain/cli/CommandLine.ts"
import { shellLine } from "../Domain/text/ShellLine.ts"
import type { CallerFacts } from "../Layers/daemon/CallerFacts.ts"
import { processStart } from "../Layers/daemon/ProcessStart.ts"
import type { SettingsSources } from "../Layers/settings/SettingsLoading.ts"

/** Where settings come from beside the file. */
type Given = Pick<CallerFacts, "cwd" | "environment" | "userHome">

/** The sources of settings of an invocation: its options, and the caller's environment and folder. */
export const givenSources = (
  { options, workerArgv }: Pick<Invocation, "options" | "workerArgv">,
  { cwd, environment, userHome }: Given
): SettingsSources => ({
  ...(options.config === undefined ? {} : { configFile: options.config }),
  environment,
  cwd,
  userHome,
  commandLine: {
    ...(options.workdir === undefined ? {} : { working_dir: options.workdir }),
    ...(options.project === undefined ? {} : { project: options.project }),
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.maxBudget === undefined ? {} : { max_budget: options.maxBudget }),
    ...(options.maxTurns === undefined ? {} : { max_turns: options.maxTurns }),
    ...(workerArgv === undefined ? {} : { worker_command: { type: "Command", argv: workerArgv } })
  }
})

/** The sources of the settings of a running daemon, and how it was started, in words. */
export interface DaemonSources {
  readonly sources: SettingsSources
  readonly startedWith: string
}

/** In characters: a prompt of several pages says no more. */
const shownLength = 200

/**
 * The sources of the settings of a running daemon: its command line, its environment and its folder. Undefined where /proc
 * does not show them, as for a daemon in another PID namespace. `read` is the parser of command lines.
 */
export const sourcesOfDaemon = async (
  pid: number,
  caller: Given,
  read: typeof parse
): Promise<DaemonSources | undefined> => {
  const started = await processStart(pid)
  if (started === undefined) return undefined
  const { argv, cwd, environment } = started
  // The runtime, its options, the bundle.
  const bundle = argv.findIndex((word, at) => at > 0 && !word.startsWith("-"))
  const args = argv.slice(bundle + 1)
  const line = read(args)
  if (bundle === -1 || line._tag !== "Run") return undefined
  const { invocation } = line
  if (invocation.verb !== "start") return undefined
  return {
    sources: givenSources(invocation, { ...caller, cwd, environment }),
    startedWith: `The running daemon (pid ${pid}) was started in ${cwd} with: ${shellLine(["autopilotd", ...args], shownLength)}`
  }
}
