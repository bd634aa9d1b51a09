import * as Effect from "effect/Effect"
import type { WorkerCheck } from "../../Domain/doctor/WorkerFindings.ts"
import type { WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import { environmentFrom } from "../../Domain/worker/WorkerEnvironment.ts"
import { type CannotStart, checkExecutable } from "../tree/Executable.ts"
import { promptText } from "../worker/AgentInput.ts"
import { EnvFile } from "../worker/EnvFile.ts"

/** The PATH stands here alone: with each failed start it would fill the history. */
const withPath = ({ missing, reason }: CannotStart, path = ""): string =>
  missing === "program" ? `${reason}: ${path}` : reason

/** Checks whether a worker could be started by a daemon with this environment. Starts nothing. */
export const inspectWorker = Effect.fnUntraced(function* (
  plan: WorkerPlan,
  daemon: Readonly<Record<string, string | undefined>>
) {
  const { read } = yield* EnvFile
  const { path, mustExist } = plan.envFile
  const file = yield* Effect.either(read(path, { mustExist, asker: plan.project }))
  const { values, warnings } = file._tag === "Right" ? file.right : { values: {}, warnings: [] }
  const env = environmentFrom(daemon).of(values, plan.envTable, "", plan.envDefaults)
  const [command] = plan.argv
  const check = yield* Effect.either(checkExecutable(command, plan.cwd, env["PATH"] ?? "", plan.project))
  const prompt = yield* Effect.either(promptText(plan.agent?.prompt, plan.project))
  return {
    project: plan.project,
    environment: env,
    command,
    problem: check._tag === "Left" ? withPath(check.left, env["PATH"]) : undefined,
    missing: check._tag === "Left" ? check.left.missing : undefined,
    envProblem: file._tag === "Left" ? file.left.message : undefined,
    envWarnings: warnings,
    promptProblem: prompt._tag === "Left" ? prompt.left.reason : undefined
  } satisfies Omit<WorkerCheck, "pathOf"> & { readonly environment: Readonly<Record<string, string>> }
})
