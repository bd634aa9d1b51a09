import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { cureFor, type WorkerCheck } from "../../Domain/doctor/WorkerFindings.ts"
import { isOnDesktop } from "../../Domain/notify/DesktopChannel.ts"
import type { Launcher } from "../../Domain/service/Launcher.ts"
import {
  byEnvFile,
  type LackingVariables,
  lackingText,
  lackingVariables,
  serviceEnvironment,
  type Variables
} from "../../Domain/service/ServiceVariables.ts"
import type { EffectiveProject } from "../../Domain/settings/EffectiveSettings.ts"
import { settingVariables, workerBinaryVariable } from "../../Domain/settings/SettingsEnvironment.ts"
import { listed } from "../../Domain/text/TextLayout.ts"
import { plansOf, type WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import { Caller, homeOfCaller } from "../../Layers/daemon/Caller.ts"
import { inspectWorker } from "../../Layers/doctor/WorkerInspection.ts"
import { MemoryReader } from "../../Layers/machine/MemoryReader.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import { loadSettings } from "../../Layers/settings/SettingsLoader.ts"
import * as EnvFile from "../../Layers/worker/EnvFile.ts"
import { Refused } from "../Refused.ts"

/** Variables of autopilotd that the caller's shell has and the service does not. */
const lostVariables = (shell: Variables, service: Variables): ReadonlyArray<string> =>
  [...settingVariables.map(({ name }) => name), workerBinaryVariable].filter(
    (name) => (shell[name] ?? "") !== "" && shell[name] !== service[name]
  )

const lostWarning = (names: ReadonlyArray<string>): string =>
  `The service does not get ${listed(names)} from this shell. Set the value in the settings instead: autopilotd config set.`

/** Why the service could not start a worker, with the fix. Undefined when it could. */
const whyNotStarted = (
  { project }: WorkerPlan,
  { envProblem, missing, problem }: Pick<WorkerCheck, "envProblem" | "missing" | "problem">
): string | undefined => {
  const cannot = `The worker of ${project} cannot be started`
  if (envProblem !== undefined) return `${cannot}: ${envProblem}`
  return problem === undefined
    ? undefined
    : `${cannot}: ${problem}. ${cureFor({ missing, pathOf: "service" })}.`
}

/** What workers lack of the variables of this shell, with the command that adds it. */
const lackingWarning = (lacking: LackingVariables): string => {
  const { fix, what } = lackingText(lacking)
  return `${what} To add it to the env file, run here: ${fix}`
}

/** A service starts in the user's home, not in the folder of the shell. */
const folderWarning = (
  { project, provenance, settings }: EffectiveProject,
  userHome: string
): string | undefined =>
  settings.workingDir === userHome && !provenance.has("working_dir")
    ? `The worker of ${project} runs in ${userHome}, because working_dir is not set. To change that: autopilotd config set working_dir DIR`
    : undefined

/**
 * Checks the settings as the service will read them. Fails where a start would fail. Returns warnings, each with its fix, and
 * whether a desktop of the caller is there that is told nothing.
 */
export const checkServiceSettings = Effect.fnUntraced(
  function* (launcher: Launcher, managerEnvironment: Variables) {
    const caller = yield* Caller
    const userHome = yield* homeOfCaller
    const { reading: memory } = (yield* MemoryReader).read()
    const environment = serviceEnvironment(managerEnvironment, launcher)
    const lost = lostVariables(caller.environment, environment)
    const effective = yield* loadSettings({
      environment,
      commandLine: {},
      cwd: userHome,
      userHome,
      ...(memory === undefined ? {} : { effectiveTotalBytes: memory.totalBytes })
    })
    const plans = plansOf(effective)
    if (Either.isLeft(plans)) {
      const notes = [
        plans.left.message,
        ...(lost.length === 0 ? [] : [lostWarning(lost)]),
        "A service has no command line, so its worker must be in the settings. Nothing was changed."
      ]
      return yield* new Refused({ reason: notes.join("\n"), code: "no_worker" })
    }
    const workers = yield* Effect.forEach(plans.right, (plan) =>
      Effect.map(inspectWorker(plan, environment), (check) => ({ plan, check }))
    )
    const lacking = workers.map(({ check, plan }) => ({
      plan,
      names: lackingVariables(plan, caller.environment, check.environment)
    }))
    const warnings = [
      ...(lost.length === 0 ? [] : [lostWarning(lost)]),
      ...workers.map(({ check, plan }) => whyNotStarted(plan, check)),
      ...byEnvFile(lacking).map(lackingWarning),
      ...effective.projects.map((project) => folderWarning(project, userHome))
    ]
    return {
      warnings: warnings.filter((warning) => warning !== undefined),
      isDesktopSilent: Object.keys(effective.notify.to).length === 0 && isOnDesktop(caller.environment)
    }
  },
  Effect.provide(Layer.merge(EnvFile.layer, SettingsFile.layer))
)
