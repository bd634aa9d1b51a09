import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { WorkerCheck } from "../../Domain/doctor/WorkerFindings.ts"
import type { WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import { workerEnvironment } from "../../Domain/worker/WorkerEnvironment.ts"
import { checkExecutable } from "../tree/Executable.ts"
import { EnvFile } from "../worker/EnvFile.ts"

/** Looks whether workers could be started, without starting any. */
export class WorkerInspection extends Context.Tag("WorkerInspection")<
  WorkerInspection,
  {
    /** With the environment that the daemon has or would have. */
    readonly inspect: (
      plan: WorkerPlan,
      daemon: Readonly<Record<string, string | undefined>>
    ) => Effect.Effect<Omit<WorkerCheck, "pathOf">>
  }
>() {}

export const layer: Layer.Layer<WorkerInspection, never, EnvFile> = Layer.effect(
  WorkerInspection,
  Effect.map(EnvFile, (envFiles) => ({
    inspect: Effect.fnUntraced(function* (plan, daemon) {
      const { path, mustExist } = plan.envFile
      const file = yield* Effect.either(envFiles.read(path, { mustExist }))
      const { values, warnings } = file._tag === "Right" ? file.right : { values: {}, warnings: [] }
      const env = workerEnvironment(daemon, values, plan.envTable, "")
      const [command] = plan.argv
      const check = yield* Effect.either(checkExecutable(command, plan.cwd, env["PATH"] ?? ""))
      return {
        project: plan.project,
        command,
        problem: check._tag === "Left" ? check.left.reason : undefined,
        envProblem: file._tag === "Left" ? file.left.message : undefined,
        envWarnings: warnings
      }
    })
  }))
)
