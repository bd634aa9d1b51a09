import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { unpromptedText } from "../../Domain/doctor/WorkerFindings.ts"
import { renderReport, settingsReport } from "../../Domain/settings/SettingsReport.ts"
import { withoutWorker } from "../../Domain/settings/WorkerLookup.ts"
import { plansOf } from "../../Domain/worker/ProjectPlan.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { MemoryReader } from "../../Layers/machine/MemoryReader.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import { loadSettings } from "../../Layers/settings/SettingsLoader.ts"
import { promptText } from "../../Layers/worker/AgentInput.ts"
import * as EnvFile from "../../Layers/worker/EnvFile.ts"
import { sayDone } from "../Answer.ts"
import { daemonSources } from "../DaemonSources.ts"
import { Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"

const nothing: EnvFile.EnvFileReading = { values: {}, warnings: [] }

/** The sources of the running daemon, for a user who does not ask about another start. */
const runningSources = Effect.fnUntraced(function* ({ options, workerArgv }: Invocation) {
  const { json: _, ...given } = options
  if (Object.keys(given).length > 0 || workerArgv !== undefined) return undefined
  const { request } = yield* ControlClient
  const status = yield* Effect.option(request({ type: "Status" }))
  const pid = Option.getOrUndefined(status)?.data?.daemon_pid
  return pid === undefined ? undefined : yield* daemonSources(pid)
})

/**
 * `autopilotd config check`: what the running daemon uses, or else what `start` would use, each with where it came from;
 * fails where a project cannot start.
 */
export const configCheck = Effect.fnUntraced(
  function* (invocation: Invocation) {
    const { out } = yield* CommandOutput
    const { reading: memory } = (yield* MemoryReader).read()
    const running = yield* runningSources(invocation)
    const sources = running?.sources ?? (yield* sourcesOf(invocation))
    const effective = yield* loadSettings({
      ...sources,
      ...(memory === undefined ? {} : { effectiveTotalBytes: memory.totalBytes })
    })
    const envFiles = yield* EnvFile.EnvFile
    const plans = Either.getOrElse(plansOf(effective), () => [])
    const readings = new Map(
      yield* Effect.forEach(
        effective.projects,
        Effect.fnUntraced(function* ({ envFile: { mustExist, path }, project }) {
          const reading = yield* envFiles.read(path, { mustExist })
          const agent = plans.find((plan) => plan.project === project)?.agent
          const prompt = yield* Effect.either(promptText(agent?.prompt, project))
          const warnings = Either.isLeft(prompt)
            ? [...reading.warnings, unpromptedText(project, prompt.left.reason)]
            : reading.warnings
          return [project, { ...reading, warnings }] as const
        })
      )
    )
    const report = settingsReport(effective, ({ project }) => readings.get(project) ?? nothing)
    const problem = Option.getOrUndefined(withoutWorker(effective))?.message
    const data = { ...(running === undefined ? {} : { started_with: running.startedWith }), ...report }
    const head = running === undefined ? "" : `${running.startedWith}\n\n`
    const text = `${head}${renderReport(report, { alone: effective.named !== undefined })}\n`
    if (problem === undefined)
      return yield* sayDone(invocation, { message: "The settings are valid", data }, text)
    // The report is shown without the problem, which is the error that follows it.
    if (invocation.options.json !== true) yield* out(text)
    return yield* new Refused({ reason: problem, code: "no_worker", data })
  },
  Effect.provide(Layer.merge(EnvFile.layer, SettingsFile.layer))
)
