import * as Net from "node:net"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { ControlFraming, type Framing } from "../../Domain/control/ControlFraming.ts"
import type { ControlQuestion, ReplyTo } from "../../Domain/control/ControlProtocol.ts"
import { decodeReply, encodeRequest } from "../../Domain/control/ControlWire.ts"
import {
  ControlAccessDenied,
  type ControlClientError,
  ControlProtocolError,
  ControlTimeout,
  NotRunning
} from "./ControlClientError.ts"
import { maxSocketPathBytes } from "./ControlServerError.ts"

/** How long a client waits, in milliseconds. */
export interface ControlClientLimits {
  /** Until it is connected. A daemon with a full backlog is asked again and again as long as this. */
  readonly connectMs: number
  /** From then until the first byte of the answer. */
  readonly firstByteMs: number
  /** For everything together. */
  readonly wholeMs: number
}

export const clientLimits: ControlClientLimits = { connectMs: 5000, firstByteMs: 5000, wholeMs: 5000 }

/** Asks the daemon on its control socket: one connection, one request, one answer. Every wait is bounded. */
export class ControlClient extends Context.Tag("ControlClient")<
  ControlClient,
  {
    readonly request: <const R extends ControlQuestion>(
      request: R,
      /** Any of the limits, changed for this request. */
      options?: Partial<ControlClientLimits>
    ) => Effect.Effect<ReplyTo<R["type"]>, ControlClientError>
  }
>() {}

/** An answer is refused above this: the longest is a settings file of 1 MiB with its escapes. */
const replyLimits = { maxBytes: 8 * 1024 * 1024, maxDepth: 64 }

const retryIntervalMs = 20

type SystemError = NodeJS.ErrnoException

const connectOnce = (path: string): Effect.Effect<Net.Socket, SystemError, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      // The listener that stays: an error nobody listens to would end the process, and "close" follows each.
      Effect.sync(() => Net.connect({ path }).on("error", () => undefined)),
      (socket) => Effect.sync(() => socket.destroy())
    )
    yield* Effect.async<void, SystemError>((resume) => {
      socket.once("connect", () => resume(Effect.void))
      socket.once("error", (cause) => resume(Effect.fail(cause)))
    })
    return socket
  })

/** No such file, no folder to it, nobody who listens, or a path that no socket can have. */
const connect = (path: string): Effect.Effect<Net.Socket, ControlClientError, Scope.Scope> => {
  if (Buffer.byteLength(path) > maxSocketPathBytes) return Effect.fail(new NotRunning({ path }))
  return connectOnce(path).pipe(
    Effect.retry({ while: (cause) => cause.code === "EAGAIN", schedule: Schedule.spaced(retryIntervalMs) }),
    Effect.mapError((cause) => {
      switch (cause.code) {
        case "ENOENT":
        case "ENOTDIR":
        case "ECONNREFUSED":
          return new NotRunning({ path })
        case "EACCES":
        case "EPERM":
          return new ControlAccessDenied({ path })
        default:
          return new ControlProtocolError({ path, problem: `cannot be asked for (${cause.message})` })
      }
    })
  )
}

/** The daemon closed the connection without having read the request, so that it may be sent again. */
class NotDelivered extends Data.TaggedError("NotDelivered") {}

/** The daemon turns connections away like this when too many are open, or when it is out of file descriptors. */
const isUnread = (cause: SystemError): boolean => cause.code === "EPIPE" || cause.code === "ECONNRESET"

/**
 * Sends the request in one write, without a newline and without closing our side, as the original's client does, and
 * takes the answer as soon as it is complete, or when the connection ends, be it by a reset.
 */
const exchange = (
  path: string,
  socket: Net.Socket,
  request: ControlQuestion,
  onBytes: () => void
): Effect.Effect<string, ControlProtocolError | NotDelivered> =>
  Effect.async((resume) => {
    const framing = new ControlFraming(replyLimits)
    const settle = (outcome: Framing): void => {
      if (outcome._tag === "Complete") resume(Effect.succeed(outcome.text))
      if (outcome._tag === "Refused") resume(new ControlProtocolError({ path, problem: outcome.reason }))
    }
    socket.on("data", (chunk) => {
      onBytes()
      settle(framing.feed(chunk))
    })
    // The request is one write. A Unix socket breaks or resets before any answer only if that was never read.
    socket.on("error", (cause) => {
      if (socket.bytesRead === 0 && isUnread(cause)) resume(new NotDelivered())
    })
    // Follows the end and every error: either there was a whole answer before it or there was not.
    socket.on("close", () => settle(framing.end()))
    socket.write(encodeRequest(request))
  })

const ask = <T extends ControlQuestion["type"]>(
  path: string,
  request: Extract<ControlQuestion, { readonly type: T }>,
  limits: ControlClientLimits
): Effect.Effect<ReplyTo<T>, ControlClientError> =>
  Effect.suspend(() => {
    let waitedFor: ControlTimeout["waitedFor"] = "connection"
    const timeout = (waitedMs: number) => new ControlTimeout({ path, waitedFor, waitedMs })
    const silence = Effect.delay(
      Effect.suspend(() => (waitedFor === "answer" ? timeout(limits.firstByteMs) : Effect.never)),
      limits.firstByteMs
    )
    const attempt = Effect.gen(function* () {
      waitedFor = "connection"
      const socket = yield* Effect.timeoutFail(connect(path), {
        duration: limits.connectMs,
        onTimeout: () => timeout(limits.connectMs)
      })
      waitedFor = "answer"
      const received = exchange(path, socket, request, () => {
        waitedFor = "rest of the answer"
      })
      const text = yield* Effect.raceFirst(received, silence)
      return yield* Either.mapLeft(
        decodeReply<T>(request.type, text),
        (problem) => new ControlProtocolError({ path, problem: `cannot be understood: ${problem}` })
      )
    })
    return Effect.scoped(attempt).pipe(
      Effect.retry({
        while: (error) => error._tag === "NotDelivered",
        schedule: Schedule.spaced(retryIntervalMs)
      }),
      Effect.catchTag("NotDelivered", () => Effect.fail(timeout(limits.wholeMs))),
      Effect.timeoutFail({ duration: limits.wholeMs, onTimeout: () => timeout(limits.wholeMs) })
    )
  })

/** A client of the daemon whose socket is at `path`. */
export const layer = (options: {
  readonly path: string
  readonly limits?: Partial<ControlClientLimits>
}): Layer.Layer<ControlClient> =>
  Layer.succeed(ControlClient, {
    request: (request, changed) =>
      ask(options.path, request, { ...clientLimits, ...options.limits, ...changed })
  })
