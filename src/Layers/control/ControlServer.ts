import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as ScopedRef from "effect/ScopedRef"
import type { ControlQuestion } from "../../Domain/control/ControlProtocol.ts"
import { decodeRequest } from "../../Domain/control/ControlWire.ts"
import { latest } from "../concurrency/Latest.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { HomeChanges } from "../daemon/HomeChanges.ts"
import { isListening } from "../daemon/HomeLock.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { openFilesLimit } from "../files/OpenFilesLimit.ts"
import { Concerns } from "../history/Concerns.ts"
import {
  type ConnectionLimits,
  ControlConnections,
  type Line,
  type Respond,
  refusal
} from "./ControlConnections.ts"
import { ControlHandler } from "./ControlHandler.ts"
import { bindSocketFile, type ControlServerError } from "./ControlSocketFile.ts"
import { encodingOnce } from "./EncodedAnswers.ts"

export interface ControlServerLimits extends ConnectionLimits {
  /** Milliseconds between a change and the check of the socket's file. */
  readonly socketCheckMs: number
}

export const serverLimits: ControlServerLimits = {
  requestMs: 5000,
  maxConnections: 256,
  lingerMs: 2000,
  lingerBytes: 4 * 1024 * 1024,
  followerBytes: 256 * 1024,
  socketCheckMs: 5000
}

interface ControlServerOptions {
  /** The socket's absolute path, of at most 107 bytes. */
  readonly path: string
  /** Asked before the socket is bound again; by default always. */
  readonly mayBind?: Effect.Effect<boolean>
  /** Returns before each check: true when the socket's file may have changed. By default at once. */
  readonly changed?: Effect.Effect<boolean>
  /** Overrides of `serverLimits`. */
  readonly limits?: Partial<ControlServerLimits>
}

/** A control server, which serves requests until its scope closes. */
interface ControlServer {
  /** Binds the socket again, with a warning, whenever its file was removed or replaced. Never returns. */
  readonly keep: Effect.Effect<never>
}

/** Milliseconds between two warnings about failed accepts, which come by the thousand. */
const acceptErrorIntervalMs = 60_000

/** Limits connections to a quarter of the process's open files. Returns `wanted` where that limit is unknown. */
const affordable = (wanted: number): number => {
  const openFiles = openFilesLimit()
  return openFiles > 0 ? Math.max(8, Math.min(wanted, Math.floor(openFiles / 4))) : wanted
}

/**
 * Binds the control socket, replacing any file at its path, and serves it until the scope closes. `ControlHandler` gets
 * every valid request; anything else gets one line that says what is wrong. Clients can connect when this succeeds. Only
 * the owner of the daemon's lock may run it.
 */
export const bind = (
  options: ControlServerOptions
): Effect.Effect<ControlServer, ControlServerError, Scope.Scope | ControlHandler> =>
  Effect.gen(function* () {
    const { changed = Effect.succeed(true), mayBind = Effect.succeed(true), path } = options
    const limits = { ...serverLimits, ...options.limits }
    const handler = yield* ControlHandler
    const run = yield* FiberSet.makeRuntime<never>()
    const clock = yield* Effect.clock

    /** A defect costs one answer. */
    const survive = <A extends Line | undefined>(type: string, answering: Effect.Effect<A>) =>
      Effect.catchAllCause(answering, (cause) =>
        Effect.as(
          Effect.logError(`Answering the control request ${type} failed: this is a bug in autopilotd`, cause),
          refusal(
            `Internal error while answering ${type}: this is a bug in autopilotd. The daemon keeps running, and its log has the cause.`,
            "bug"
          )
        )
      )

    // Clients repeat one question.
    const decode = latest(decodeRequest)
    const encode = encodingOnce()

    /** The line of an answer that is there at once, without a fiber. */
    const answerTo = (request: ControlQuestion): Line | Effect.Effect<Line> => {
      try {
        const answered = handler.handle(request)
        return Effect.isEffect(answered) ? Effect.map(answered, encode) : encode(answered)
      } catch (defect) {
        return Effect.die(defect)
      }
    }

    const respond: Respond = (text, { follow, reply }) => {
      const decoded = decode(text)
      if (Either.isLeft(decoded)) return reply(refusal(decoded.left))
      const request = decoded.right
      if (request.type !== "Subscribe") {
        const line = answerTo(request)
        if (Effect.isEffect(line)) run(Effect.map(survive(request.type, line), reply))
        else reply(line)
        return
      }
      const follower = follow()
      if (follower === undefined) return
      const following = Effect.suspend(() => handler.follow(request, follower)).pipe(
        Effect.as(undefined),
        Effect.catchAll(({ code, message }) => Effect.succeed(refusal(message, code)))
      )
      run(Effect.map(survive(request.type, following), (line) => line && follower.end(line)))
    }

    const maxConnections = affordable(limits.maxConnections)
    const connections = yield* Effect.acquireRelease(
      Effect.sync(() => new ControlConnections({ ...limits, maxConnections }, respond)),
      (connections) => Effect.sync(() => connections.closeAll())
    )

    let quietUntilMs = 0
    const onAcceptError = (cause: Error): void => {
      // Only a freed descriptor lets the next client in.
      connections.makeRoom()
      const nowMs = clock.unsafeCurrentTimeMillis()
      if (nowMs < quietUntilMs) return
      quietUntilMs = nowMs + acceptErrorIntervalMs
      run(Effect.logWarning("A connection to the control socket could not be accepted", cause))
    }

    const listen = bindSocketFile(path, {
      onConnection: (socket) => connections.accept(socket),
      onAcceptError
    })
    const file = yield* ScopedRef.fromAcquire(listen)

    let lastError = ""
    const bindAgain = ScopedRef.set(file, listen).pipe(
      // ScopedRef would drop what it has made when an interruption comes meanwhile: a socket that is never closed.
      Effect.uninterruptible,
      Effect.matchEffect({
        onFailure: (error) => {
          const isNew = error.message !== lastError
          lastError = error.message
          return isNew ? Effect.logError(`${error.message} The daemon keeps trying.`) : Effect.void
        },
        onSuccess: () => {
          lastError = ""
          return Effect.logWarning(
            `The control socket ${path} was removed or replaced. The daemon has bound it again.`
          )
        }
      })
    )
    const keep = Effect.gen(function* () {
      if (yield* changed) yield* Effect.sleep(limits.socketCheckMs)
      const { isOurs } = yield* ScopedRef.get(file)
      if (!(yield* isOurs) && (yield* mayBind)) yield* bindAgain
    }).pipe(Effect.forever)

    return { keep }
  })

/**
 * Binds the control socket of this home and keeps it bound, as the concern `control server`. The lock decides whose socket
 * it is. A lock that is not certain leaves it to the daemon that answers there: two would bind it in turns for ever.
 */
export const layer: Layer.Layer<
  never,
  ControlServerError,
  AutopilotHome | InstanceLock | HomeChanges | Concerns | ControlHandler
> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { socket } = yield* AutopilotHome
    const { giveUp, holds, isCertain } = yield* InstanceLock
    const { run } = yield* Concerns
    const changed = yield* (yield* HomeChanges).subscribe
    const mayBind = Effect.gen(function* () {
      if (!(yield* holds)) return false
      if ((yield* isCertain) || !(yield* isListening(socket))) return true
      yield* giveUp
      return false
    })
    const { keep } = yield* bind({ path: socket, mayBind, changed })
    yield* run("control server", keep)
  })
)
