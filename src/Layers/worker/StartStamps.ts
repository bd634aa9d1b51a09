import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { ProjectName } from "../../Domain/Project.ts"
import type { WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import type { FileStamps } from "../files/FileStamps.ts"
import { type CannotStart, reliedOn, stampsOf } from "../tree/Executable.ts"

/** A start without a backoff relies on what the disks were asked within this time: 50 ms. */
const freshNanos = 50_000_000n

interface Asked {
  readonly atNanos: bigint
  readonly answer: Fiber.Fiber<FileStamps, CannotStart>
}

/** The stamps of the files on which a start relies, in one question to the disks. Questions end with the scope. */
export const startStamps = (scope: Scope.Scope) => {
  const ahead = new Map<ProjectName, Asked>()
  const asked = ({ envFile, project }: WorkerPlan) => stampsOf(project, [envFile.path, ...reliedOn(project)])
  return {
    /** Asks for the start that may follow: the disks answer while the exit is judged and the next run is saved. */
    askAhead: Effect.fnUntraced(function* (plan: WorkerPlan) {
      const answer = yield* Effect.forkIn(asked(plan), scope)
      ahead.set(plan.project, { atNanos: yield* Clock.currentTimeNanos, answer })
    }),
    now: Effect.fnUntraced(function* (plan: WorkerPlan) {
      const known = ahead.get(plan.project)
      ahead.delete(plan.project)
      const isFresh = known !== undefined && (yield* Clock.currentTimeNanos) - known.atNanos < freshNanos
      return yield* isFresh ? Effect.flatten(known.answer.await) : asked(plan)
    })
  }
}
