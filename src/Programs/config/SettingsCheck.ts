import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Invocation, parse } from "../../Domain/cli/CommandLine.ts"
import type { Outcome } from "../../Domain/cli/Dialogue.ts"
import { unpromptedText } from "../../Domain/doctor/WorkerFindings.ts"
import type { EffectiveProject } from "../../Domain/settings/EffectiveSettings.ts"
import type { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import { renderReport, settingsReport } from "../../Domain/settings/SettingsReport.ts"
import { promptFileOf } from "../../Domain/settings/WorkerCommand.ts"
import { withoutWorker } from "../../Domain/settings/WorkerLookup.ts"
import type { CallerFacts } from "../../Layers/daemon/CallerFacts.ts"
import { memoryNow } from "../../Layers/machine/MemoryFiles.ts"
import { type LoadingWorld, loadFaultless } from "../../Layers/settings/SettingsLoading.ts"
import { EnvFileError, type EnvFileReading, envFileAt } from "../../Layers/worker/EnvFileText.ts"
import { promptAt, UnusablePrompt } from "../../Layers/worker/PromptFile.ts"
import { type DaemonSources, givenSources, sourcesOfDaemon } from "../GivenSources.ts"

/** What `config check` needs of the road that it is on. */
export interface CheckWorld extends LoadingWorld {
  readonly caller: CallerFacts
  /** The parser of command lines, which each road has already. */
  readonly read: typeof parse
  /** The pid of the daemon of this home; undefined without one. */
  readonly daemonPid: () => Promise<number | undefined>
}

/** The sources of the running daemon, for a user who does not ask about another start. */
const runningSources = async (
  { options, workerArgv }: Invocation,
  { caller, daemonPid, read }: CheckWorld
): Promise<DaemonSources | undefined> => {
  const { json: _, ...given } = options
  if (Object.keys(given).length > 0 || workerArgv !== undefined) return undefined
  const pid = await daemonPid()
  return pid === undefined ? undefined : sourcesOfDaemon(pid, caller, read)
}

/** The env file of a project, with a warning when its prompt cannot be read. */
const readingOf = async (
  { envFile: { mustExist, path }, project, worker }: EffectiveProject,
  { timer }: CheckWorld
): Promise<EnvFileReading | EnvFileError> => {
  const file = Either.isRight(worker) ? promptFileOf(worker.right.command) : undefined
  const [reading, prompt] = [
    await envFileAt(timer, path, { mustExist }),
    file === undefined ? undefined : await promptAt(timer, file, project)
  ]
  return reading instanceof EnvFileError || !(prompt instanceof UnusablePrompt)
    ? reading
    : { ...reading, warnings: [...reading.warnings, unpromptedText(project, prompt.message)] }
}

/** What the running daemon uses, or else what `start` would use, each with where it came from. */
export const checkSettings = async (
  invocation: Invocation,
  world: CheckWorld
): Promise<Outcome | SettingsError | EnvFileError> => {
  const asked = runningSources(invocation, world)
  // The memory is read while the daemon answers.
  const { reading: memory } = memoryNow()
  const running = await asked
  const effective = await loadFaultless(
    {
      ...(running?.sources ?? givenSources(invocation, world.caller)),
      ...(memory === undefined ? {} : { effectiveTotalBytes: memory.totalBytes })
    },
    world
  )
  if (effective instanceof Error) return effective
  const readings = new Map<string, EnvFileReading>()
  for (const project of effective.projects) {
    const reading = await readingOf(project, world)
    if (reading instanceof EnvFileError) return reading
    readings.set(project.project, reading)
  }
  const report = settingsReport(
    effective,
    ({ project }) => readings.get(project) ?? { values: {}, warnings: [] }
  )
  const data = { ...(running === undefined ? {} : { started_with: running.startedWith }), ...report }
  const head = running === undefined ? "" : `${running.startedWith}\n\n`
  const out = `${head}${renderReport(report, { alone: effective.named !== undefined })}\n`
  const problem = Option.getOrUndefined(withoutWorker(effective))?.message
  const code = "no_worker"
  if (invocation.options.json !== true)
    // The report is shown without the problem, which is the error that follows it.
    return { out, ...(problem === undefined ? {} : { refused: { reason: problem, code, isTold: false } }) }
  return problem === undefined
    ? { out: "", answer: { success: true, message: "The settings are valid", data } }
    : {
        out: "",
        answer: { success: false, message: problem, code, data },
        refused: { reason: problem, code, isTold: true }
      }
}
