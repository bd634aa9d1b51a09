import * as Net from "node:net"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { ControlFraming, type Framing } from "../../Domain/control/ControlFraming.ts"
import type { ControlQuestion, ReplyTo } from "../../Domain/control/ControlProtocol.ts"
import { decodeReply, encodeRequest } from "../../Domain/control/ControlWire.ts"
import { answerLimit, checkDisk } from "../files/PathQuestions.ts"
import { maxSocketPathBytes } from "./ControlSocketFile.ts"

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
  readonly waitedFor: "disk" | "connection" | "answer" | "rest of the answer"
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

/** The longest waits of a client, in milliseconds. */
export interface ControlClientLimits {
  /** Until the connection stands. A full backlog is retried for this long. */
  readonly connectMs: number
  /** From the connection until the first byte of the answer. */
  readonly firstByteMs: number
  /** From the start of the request until the end of the answer. */
  readonly wholeMs: number
}

const clientLimits: ControlClientLimits = { connectMs: 5000, firstByteMs: 5000, wholeMs: 5000 }

/** Sends requests to the daemon's control socket, each on a connection of its own. Every wait is bounded. */
export class ControlClient extends Context.Tag("ControlClient")<
  ControlClient,
  {
    readonly request: <const R extends ControlQuestion>(
      request: R,
      /** Overrides of the limits. */
      options?: Partial<ControlClientLimits>
    ) => Effect.Effect<ReplyTo<R["type"]>, ControlClientError>
  }
>() {}

/** The largest answer is a settings file of 1 MiB with its escapes. */
const replyLimits = { maxBytes: 8 * 1024 * 1024, maxDepth: 64 }

const retryIntervalMs = 20

type SystemError = NodeJS.ErrnoException

const connectOnce = (path: string): Effect.Effect<Net.Socket, SystemError, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      // This listener stays: an error event without one would end the process, and "close" follows each error.
      Effect.sync(() => Net.connect({ path }).on("error", () => undefined)),
      (socket) => Effect.sync(() => socket.destroy())
    )
    yield* Effect.async<void, SystemError>((resume) => {
      socket.once("connect", () => resume(Effect.void))
      socket.once("error", (cause) => resume(Effect.fail(cause)))
    })
    return socket
  })

const waitForDisk = (path: string): Effect.Effect<void, ControlTimeout> =>
  Effect.mapError(
    checkDisk(path),
    () => new ControlTimeout({ path, waitedFor: "disk", waitedMs: Duration.toMillis(answerLimit) })
  )

/** Waits while the daemon's backlog is full. */
const connectNow = (path: string): Effect.Effect<Net.Socket, ControlClientError, Scope.Scope> => {
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
          return new ControlProtocolError({ path, problem: `cannot be requested (${cause.message})` })
      }
    })
  )
}

/** Connects to the daemon's socket until the scope closes. */
export const connect = (path: string): Effect.Effect<Net.Socket, ControlClientError, Scope.Scope> =>
  Effect.zipRight(waitForDisk(path), connectNow(path))

/** The daemon closed the connection before it read the request, which may therefore be sent again. */
class NotDelivered extends Data.TaggedError("NotDelivered") {}

/** The daemon closes connections like this when too many are open, or when it has no file descriptors left. */
const isUnread = (cause: SystemError): boolean => cause.code === "EPIPE" || cause.code === "ECONNRESET"

/**
 * Sends the request in one write, without a newline and without closing our side, as the original's client does. Returns
 * the answer when it is complete or when the connection ends, be it by a reset.
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
    // The request is one write, and a Unix socket breaks or resets before any answer only if it was not read.
    socket.on("error", (cause) => {
      if (socket.bytesRead === 0 && isUnread(cause)) resume(new NotDelivered())
    })
    // Follows the end and every error.
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
      waitedFor = "disk"
      yield* waitForDisk(path)
      waitedFor = "connection"
      const socket = yield* Effect.timeoutFail(connectNow(path), {
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

export const layer = (options: {
  readonly path: string
  readonly limits?: Partial<ControlClientLimits>
}): Layer.Layer<ControlClient> =>
  Layer.succeed(ControlClient, {
    request: (request, changed) =>
      ask(options.path, request, { ...clientLimits, ...options.limits, ...changed })
  })
