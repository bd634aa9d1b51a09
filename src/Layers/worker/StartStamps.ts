import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { ProjectName } from "../../Domain/Project.ts"
import type { WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import { ask, type SilentDisk } from "../files/DiskTurns.ts"
import { type FileStamps, fileStamps, stampsQuestion } from "../files/FileStamps.ts"
import { effectOf } from "../files/PathQuestions.ts"
import { type CannotStart, reliedOn, unlessSilent } from "../tree/Executable.ts"

/** A start without a backoff relies on what the disks were asked within this time: 50 ms. */
const freshNanos = 50_000_000n

interface Asked {
  readonly atNanos: bigint
  readonly answer: Deferred.Deferred<FileStamps, SilentDisk>
  readonly stop: () => void
}

/** The stamps of the files on which a start relies, in one question to the disks. Questions end with the scope. */
export const startStamps = Effect.gen(function* () {
  const timer = yield* PlainTimer
  const clock = yield* Effect.clock
  const ahead = new Map<ProjectName, Asked>()
  const pathsOf = ({ envFile, project }: WorkerPlan) => [envFile.path, ...reliedOn(project)]
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const { stop } of ahead.values()) stop()
    })
  )
  return {
    /** Asks for the start that may follow: the disks answer while the exit is judged and the next run is saved. */
    askAhead: (plan: WorkerPlan): void => {
      const answer = Deferred.unsafeMake<FileStamps, SilentDisk>(FiberId.none)
      const question = stampsQuestion(plan.project, pathsOf(plan))
      const stop = ask(timer, question, (asked) => Deferred.unsafeDone(answer, effectOf(asked)))
      ahead.set(plan.project, { atNanos: clock.unsafeCurrentTimeNanos(), answer, stop })
    },
    now: (plan: WorkerPlan): Effect.Effect<FileStamps, CannotStart> =>
      Effect.suspend(() => {
        const known = ahead.get(plan.project)
        ahead.delete(plan.project)
        const isFresh = known !== undefined && clock.unsafeCurrentTimeNanos() - known.atNanos < freshNanos
        return unlessSilent(isFresh ? Deferred.await(known.answer) : fileStamps(plan.project, pathsOf(plan)))
      })
  }
})
