import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { WorkerEvent } from "../../Domain/worker/WorkerEvent.ts"

export interface CommandAnswer {
  readonly success: boolean
  readonly message: string
}

/** The commands that wait for the answer of a project's automaton. */
interface CommandAnswers {
  /** Reports a command with a ticket, and returns the answer to it. `what` continues `Cannot `. */
  readonly ask: (event: (ticket: number) => WorkerEvent, what: string) => Effect.Effect<CommandAnswer>
  readonly give: (ticket: number, answer: CommandAnswer) => Effect.Effect<void>
}

/** `isDead` completes when nobody answers any more. */
export const make = (
  report: (event: WorkerEvent) => Effect.Effect<void>,
  isDead: Effect.Effect<void>
): CommandAnswers => {
  const waiting = new Map<number, Deferred.Deferred<CommandAnswer>>()
  let tickets = 0
  return {
    ask: Effect.fnUntraced(function* (event, what) {
      const ticket = ++tickets
      const answer = yield* Deferred.make<CommandAnswer>()
      waiting.set(ticket, answer)
      yield* report(event(ticket))
      return yield* Effect.raceFirst(
        Deferred.await(answer),
        Effect.as(isDead, {
          success: false,
          message: `Cannot ${what}: its supervisor has failed and the daemon is stopping`
        })
      )
    }),
    give: (ticket, { message, success }) => {
      const asked = waiting.get(ticket)
      waiting.delete(ticket)
      return asked === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(asked, { success, message }))
    }
  }
}
