import type { Duplex } from "node:stream"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ControlQuestion, ReplyTo } from "../../Domain/control/ControlProtocol.ts"
import { decodeReply, encodeRequest } from "../../Domain/control/ControlReply.ts"
import { type Unanswered, unansweredText } from "../../Domain/control/Unanswered.ts"
import { answerLimitMs } from "../files/DiskTurns.ts"
import { checkDisk } from "../files/PathQuestions.ts"
import {
  type Exchanged,
  type ExchangeLimits,
  exchange,
  exchangeLimits,
  type Open,
  socketAt
} from "./Exchange.ts"

/** No daemon listens on the socket's path, or on the machine of this name. */
export class NotRunning extends Data.TaggedError("NotRunning")<{
  readonly path: string
  /** The processes that live all the same, and what to do, in sentences; absent without any. */
  readonly but?: string
}> {
  override get message(): string {
    return unansweredText(this.path, { _tag: "NotRunning" }, this.but)
  }
}

/** The daemon belongs to another user. */
class ControlAccessDenied extends Data.TaggedError("ControlAccessDenied")<{ readonly path: string }> {
  override get message(): string {
    return unansweredText(this.path, { _tag: "AccessDenied" })
  }
}

/** The disk of the socket or the daemon did not answer in time. */
class ControlTimeout extends Data.TaggedError("ControlTimeout")<{
  readonly path: string
  readonly waitedFor: Extract<Unanswered, { readonly _tag: "Timeout" }>["waitedFor"]
  readonly waitedMs: number
}> {
  override get message(): string {
    const { path, waitedFor, waitedMs } = this
    return unansweredText(path, { _tag: "Timeout", waitedFor, waitedMs })
  }
}

/** The answer does not follow the protocol. */
class ControlProtocolError extends Data.TaggedError("ControlProtocolError")<{
  readonly path: string
  /** Continues a sentence that begins with `The answer`. */
  readonly problem: string
}> {
  override get message(): string {
    return unansweredText(this.path, { _tag: "Unclear", problem: this.problem })
  }
}

/** A failure of the connection to another machine, of which the room `remote` has the words. */
interface HostFailure {
  readonly _tag:
    | "HostUnreachable"
    | "HostRefused"
    | "NotInstalledThere"
    | "NoDaemonThere"
    | "OtherVersionThere"
    | "NoStreamThere"
    | "SshUnusable"
  readonly message: string
}

export type ControlClientError =
  | NotRunning
  | ControlAccessDenied
  | ControlTimeout
  | ControlProtocolError
  | HostFailure

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

/** A way to a daemon. */
export interface ControlConnection {
  /** The socket's path, or the name of the daemon's machine. Messages name it. */
  readonly place: string
  /** Prepares one connection, which ends with the scope. A socket of this machine is ready within the time; a network has its own. */
  readonly prepare: (limitMs: number) => Effect.Effect<Open, ControlClientError, Scope.Scope>
}

/** The way to a daemon of this machine. Its disk is asked first, because connect(2) would hang with it. */
export const localConnection = (path: string): ControlConnection => ({
  place: path,
  prepare: (limitMs) => {
    const silentDisk = (waitedMs: number) => new ControlTimeout({ path, waitedFor: "disk", waitedMs })
    return checkDisk(path).pipe(
      Effect.mapError(() => silentDisk(answerLimitMs)),
      Effect.timeoutFail({ duration: limitMs, onTimeout: () => silentDisk(limitMs) }),
      Effect.as(socketAt(path))
    )
  }
})

/** The wait for the disk before a subscription. */
const prepareMs = 2 * answerLimitMs

/** Connects to a daemon until the scope closes. */
export const connect = ({
  place,
  prepare
}: ControlConnection): Effect.Effect<Duplex, ControlClientError, Scope.Scope> =>
  Effect.flatMap(prepare(prepareMs), (open) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.tap(
        restore(
          Effect.async<Duplex, ControlClientError>((resume) => {
            const giveUp = open((opened) =>
              resume("_tag" in opened ? Effect.fail(errorOf(place, opened)) : Effect.succeed(opened))
            )
            return Effect.sync(giveUp)
          })
        ),
        (stream) => Effect.addFinalizer(() => Effect.sync(() => stream.destroy()))
      )
    )
  )

const ask = <T extends ControlQuestion["type"]>(
  { place, prepare }: ControlConnection,
  request: Extract<ControlQuestion, { readonly type: T }>,
  limits: ExchangeLimits
): Effect.Effect<ReplyTo<T>, ControlClientError> =>
  Effect.gen(function* () {
    const open = yield* prepare(limits.wholeMs)
    const exchanged = yield* Effect.promise((signal) =>
      exchange(open, encodeRequest(request), limits, signal)
    )
    return yield* replyIn<T>(place, request.type, exchanged)
  }).pipe(Effect.scoped)

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

/** Sends requests over a connection of any kind. */
export const layerOver = (
  connection: ControlConnection,
  limits: Partial<ExchangeLimits> = {}
): Layer.Layer<ControlClient> =>
  Layer.effect(
    ControlClient,
    Effect.map(EarlierExchanges, (earlier) => ({
      request: (request, changed) =>
        Effect.suspend(() => {
          const known = earlier.shift()
          return known === undefined
            ? ask(connection, request, { ...exchangeLimits, ...limits, ...changed })
            : replyIn(connection.place, request.type, known)
        })
    }))
  )

/** Sends requests to the daemon whose socket has this path. */
export const layer = (options: {
  readonly path: string
  readonly limits?: Partial<ExchangeLimits>
}): Layer.Layer<ControlClient> => layerOver(localConnection(options.path), options.limits)
