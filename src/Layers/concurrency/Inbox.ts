import * as Effect from "effect/Effect"

/** Events for one reader, in order. */
interface Inbox<A> {
  /** Adds an event, in plain code. */
  readonly add: (event: A) => void
  /** Waits for the next event. */
  readonly take: Effect.Effect<A>
}

/** A Mailbox of Effect takes three times the operations an event, and another turn of the microtasks. */
export const makeInbox = <A extends object>(): Inbox<A> => {
  const events: Array<A> = []
  let wake = (): void => undefined
  const isAdded = Effect.async<void>((resume) => {
    wake = () => resume(Effect.void)
    // The fiber may have yielded since it found no event.
    if (events.length > 0) wake()
  })
  const take: Effect.Effect<A> = Effect.suspend(() => {
    const event = events.shift()
    return event === undefined ? Effect.zipRight(isAdded, take) : Effect.succeed(event)
  })
  return {
    add: (event) => {
      events.push(event)
      wake()
    },
    take
  }
}
