import type * as Net from "node:net"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ControlQuestion, ReplyTo } from "../../Domain/control/ControlProtocol.ts"
import { decodeReply, encodeRequest } from "../../Domain/control/ControlWire.ts"
import { answerLimit, checkDisk } from "../files/PathQuestions.ts"
import {
  type Exchanged,
  type ExchangeLimits,
  exchange,
  exchangeLimits,
  openSocket,
  type Unanswered
} from "./Exchange.ts"

/** No daemon listens on the socket's path. */
export class NotRunning extends Data.TaggedError("NotRunning")<{
  readonly path: string
  /** The processes that live all the same, and what to do, in sentences; absent without any. */
  readonly but?: string
}> {
  override get message(): string {
    const next = this.but ?? "Start it with: autopilotd start"
    return `No daemon is listening on ${this.path}. ${next}`
  }
}

/** The daemon belongs to another user. */
class ControlAccessDenied extends Data.TaggedError("ControlAccessDenied")<{ readonly path: string }> {
  override get message(): string {
    return (
      `This user may not use the control socket ${this.path}: the daemon belongs to another user. ` +
      "Run the command as that user, or set AUTOPILOT_HOME to the folder of your own daemon."
    )
  }
}

/** The disk of the socket or the daemon did not answer in time. */
class ControlTimeout extends Data.TaggedError("ControlTimeout")<{
  readonly path: string
  readonly waitedFor: Extract<Unanswered, { readonly _tag: "Timeout" }>["waitedFor"]
  readonly waitedMs: number
}> {
  override get message(): string {
    if (this.waitedFor === "disk") {
      return (
        `The disk of ${this.path} did not answer within ${this.waitedMs} ms, so the daemon could not be requested. ` +
        "Check that disk, or unmount it."
      )
    }
    return (
      `The daemon at ${this.path} gave no ${this.waitedFor} within ${this.waitedMs} ms: ` +
      "it is suspended, or the machine is overloaded. Try again, or read its log."
    )
  }
}

/** The answer does not follow the protocol. */
class ControlProtocolError extends Data.TaggedError("ControlProtocolError")<{
  readonly path: string
  /** Continues a sentence that begins with `The answer`. */
  readonly problem: string
}> {
  override get message(): string {
    return (
      `The answer of the daemon at ${this.path} ${this.problem}. ` +
      "Another program may be listening there, or a daemon of another version. Read its log."
    )
  }
}

export type ControlClientError = NotRunning | ControlAccessDenied | ControlTimeout | ControlProtocolError

/** Sends requests to the daemon's control socket, each on a connection of its own. Every wait is bounded. */
export class ControlClient extends Context.Tag("ControlClient")<
  ControlClient,
  {
    readonly request: <const R extends ControlQuestion>(
      request: R,
      /** Overrides of the limits. */
      options?: Partial<ExchangeLimits>
    ) => Effect.Effect<ReplyTo<R["type"]>, ControlClientError>
  }
>() {}

/**
 * What a quick command has exchanged before it needed the rest of the program: its first requests, in their order, have
 * these outcomes and are not sent again.
 */
export class EarlierExchanges extends Context.Reference<EarlierExchanges>()("EarlierExchanges", {
  defaultValue: (): Array<Exchanged> => []
}) {}

const errorOf = (path: string, unanswered: Unanswered): ControlClientError => {
  switch (unanswered._tag) {
    case "NotRunning":
      return new NotRunning({ path })
    case "AccessDenied":
      return new ControlAccessDenied({ path })
    case "Timeout":
      return new ControlTimeout({ path, waitedFor: unanswered.waitedFor, waitedMs: unanswered.waitedMs })
    case "Unclear":
      return new ControlProtocolError({ path, problem: unanswered.problem })
  }
}

const silentDisk = (path: string, waitedMs: number): ControlTimeout =>
  new ControlTimeout({ path, waitedFor: "disk", waitedMs })

const waitForDisk = (path: string): Effect.Effect<void, ControlTimeout> =>
  Effect.mapError(checkDisk(path), () => silentDisk(path, Duration.toMillis(answerLimit)))

/** Connects to the daemon's socket until the scope closes. */
export const connect = (path: string): Effect.Effect<Net.Socket, ControlClientError, Scope.Scope> =>
  Effect.zipRight(
    waitForDisk(path),
    Effect.uninterruptibleMask((restore) =>
      Effect.tap(
        restore(
          Effect.async<Net.Socket, ControlClientError>((resume) => {
            const giveUp = openSocket(path, (opened) =>
              resume("_tag" in opened ? Effect.fail(errorOf(path, opened)) : Effect.succeed(opened))
            )
            return Effect.sync(giveUp)
          })
        ),
        (socket) => Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
      )
    )
  )

const ask = <T extends ControlQuestion["type"]>(
  path: string,
  request: Extract<ControlQuestion, { readonly type: T }>,
  limits: ExchangeLimits
): Effect.Effect<ReplyTo<T>, ControlClientError> =>
  Effect.gen(function* () {
    const { wholeMs } = limits
    const exchanged = yield* waitForDisk(path).pipe(
      Effect.timeoutFail({ duration: wholeMs, onTimeout: () => silentDisk(path, wholeMs) }),
      Effect.zipRight(Effect.promise((signal) => exchange(path, encodeRequest(request), limits, signal)))
    )
    return yield* replyIn<T>(path, request.type, exchanged)
  })

const replyIn = <T extends ControlQuestion["type"]>(
  path: string,
  type: T,
  exchanged: Exchanged
): Effect.Effect<ReplyTo<T>, ControlClientError> =>
  exchanged._tag === "Answered"
    ? Either.mapLeft(
        decodeReply<T>(type, exchanged.text),
        (problem) => new ControlProtocolError({ path, problem: `cannot be understood: ${problem}` })
      )
    : Effect.fail(errorOf(path, exchanged))

export const layer = (options: {
  readonly path: string
  readonly limits?: Partial<ExchangeLimits>
}): Layer.Layer<ControlClient> =>
  Layer.effect(
    ControlClient,
    Effect.map(EarlierExchanges, (earlier) => ({
      request: (request, changed) =>
        Effect.suspend(() => {
          const known = earlier.shift()
          return known === undefined
            ? ask(options.path, request, { ...exchangeLimits, ...options.limits, ...changed })
            : replyIn(options.path, request.type, known)
        })
    }))
  )
