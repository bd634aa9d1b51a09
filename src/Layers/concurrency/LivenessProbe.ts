import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** Lets others know that a loop still goes round. */
export interface LivenessProbe {
  /** Returns when the loop has come by since. */
  readonly ask: Effect.Effect<void>
  /** Called by the loop whenever it comes by. */
  readonly take: Effect.Effect<void>
}

/** `wake` brings the loop to come by soon, if it waits. */
export const make = (wake: Effect.Effect<unknown>): LivenessProbe => {
  let asked: ReadonlyArray<Deferred.Deferred<void>> = []
  return {
    ask: Effect.gen(function* () {
      const taken = yield* Deferred.make<void>()
      asked = [...asked, taken]
      yield* wake
      yield* Deferred.await(taken)
    }),
    take: Effect.suspend(() => {
      const answered = asked
      asked = []
      return Effect.forEach(answered, (taken) => Deferred.succeed(taken, undefined), { discard: true })
    })
  }
}
