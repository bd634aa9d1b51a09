import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** Reports that a loop makes progress. */
interface LivenessProbe {
  /** Returns when the loop has answered. */
  readonly probe: Effect.Effect<void>
  /** Answers all waiting probes. The loop calls it in every round. */
  readonly answer: Effect.Effect<void>
}

/** `wake` makes a waiting loop start its next round. */
export const make = (wake: Effect.Effect<unknown>): LivenessProbe => {
  let waiting: ReadonlyArray<Deferred.Deferred<void>> = []
  return {
    probe: Effect.gen(function* () {
      const answered = yield* Deferred.make<void>()
      waiting = [...waiting, answered]
      yield* wake
      yield* Deferred.await(answered)
    }),
    answer: Effect.suspend(() => {
      const probes = waiting
      waiting = []
      return Effect.forEach(probes, (answered) => Deferred.succeed(answered, undefined), { discard: true })
    })
  }
}
