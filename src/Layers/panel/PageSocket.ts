import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Socket from "@effect/platform/Socket"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import { PanelClosing, refused } from "./PanelServer.ts"

/** Pages that may be open at once. Each costs the panel a few kilobytes and a connection. */
const maxPages = 32

/** The page answers each message; a page that is stuck gets no more than these before it catches up. */
const maxUnanswered = 4

/** A page that answers nothing for this long is closed. It connects again when it can. */
const patience = "30 seconds"

/** The largest message of a page, in characters. */
const maxMessageLength = 64 * 1024

/** Codes after which the page connects again: the service restarts, and it may try again later. */
const closeCodes = { restarting: 1012, tryLater: 1013, tooBig: 1009 } as const

/** Why the server ends a connection. */
class PageClosed extends Data.TaggedError("PageClosed")<{
  readonly code: (typeof closeCodes)[keyof typeof closeCodes]
  readonly reason: string
}> {}

/** An open page of the panel. */
export interface Page {
  /** Sends a message. Waits while the page has not answered the last ones, so that a stuck tab holds no memory. */
  readonly send: (text: string) => Effect.Effect<void, PageClosed>
  /** The messages of the page, but for its answers. */
  readonly received: Mailbox.ReadonlyMailbox<string>
}

const answer = "ok"

/** Takes the WebSocket of one page and lets `act` talk to it until it, or the server, ends. */
export const pageSockets = Effect.sync(() => {
  let open = 0
  return <E, R>(act: (page: Page) => Effect.Effect<void, E, R>) =>
    Effect.gen(function* () {
      if (open >= maxPages) return refused(503, `${maxPages} pages of the panel are open: close some.`)
      yield* Effect.acquireRelease(
        Effect.sync(() => ++open),
        () => Effect.sync(() => --open)
      )
      const closing = yield* PanelClosing
      const socket = yield* HttpServerRequest.upgrade
      const write = yield* socket.writer
      const received = yield* Mailbox.make<string>({ capacity: 64, strategy: "sliding" })
      const room = yield* Effect.makeSemaphore(maxUnanswered)
      const failed = yield* Deferred.make<never, PageClosed>()

      const listening = socket.runRaw((message) => {
        if (message.length > maxMessageLength) {
          const tooBig = new PageClosed({ code: closeCodes.tooBig, reason: "the message is too big" })
          return Effect.asVoid(Deferred.fail(failed, tooBig))
        }
        const text = typeof message === "string" ? message : new TextDecoder().decode(message)
        return text === answer ? Effect.asVoid(room.release(1)) : Effect.asVoid(received.offer(text))
      })
      const send = (text: string) =>
        room.take(1).pipe(
          Effect.timeoutFail({
            duration: patience,
            onTimeout: () => new PageClosed({ code: closeCodes.tryLater, reason: "the page does not answer" })
          }),
          Effect.zipRight(Effect.orDie(write(text)))
        )
      const ended = Effect.zipRight(
        Deferred.await(closing),
        new PageClosed({ code: closeCodes.restarting, reason: "the panel stops" })
      )
      const acting = act({ send, received }).pipe(
        Effect.raceFirst(Deferred.await(failed)),
        Effect.raceFirst(ended),
        Effect.catchIf(
          (error): error is PageClosed => error instanceof PageClosed,
          ({ code, reason }) =>
            Effect.orDie(write(new Socket.CloseEvent(code, reason))).pipe(
              // The browser answers the close frame; a dead one does not.
              Effect.zipRight(Effect.sleep("2 seconds"))
            )
        )
      )
      yield* Effect.raceFirst(Effect.ignore(listening), acting)
      return HttpServerResponse.empty()
    }).pipe(Effect.scoped)
})
