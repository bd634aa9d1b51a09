import * as Fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as ScopedRef from "effect/ScopedRef"
import { decodeRequest, encodeResponse } from "../../Domain/control/ControlWire.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { Concerns } from "../history/Concerns.ts"
import { type ConnectionLimits, ControlConnections, type Respond, refusal } from "./ControlConnections.ts"
import { ControlHandler } from "./ControlHandler.ts"
import type { ControlServerError } from "./ControlServerError.ts"
import * as ControlSocketFile from "./ControlSocketFile.ts"

export interface ControlServerLimits extends ConnectionLimits {
  /** Milliseconds between two looks at the socket's file. */
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

export interface ControlServerOptions {
  /** Where the socket is to be: an absolute path of at most 107 bytes. */
  readonly path: string
  /** Any of `defaultLimits`, changed. */
  readonly limits?: Partial<ControlServerLimits>
}

/** A control server that takes requests until its scope closes. */
export interface ControlServer {
  /**
   * Looks after the socket's file for ever: when it has vanished or was replaced, it is bound again, and a warning
   * tells. This is the concern to run; requests are served also without it.
   */
  readonly keep: Effect.Effect<never>
}

/** At most one line about failed accepts in this many milliseconds: they come by the thousand or not at all. */
const acceptErrorIntervalMs = 60_000

/**
 * Connections that fit the process's limit of open files with three quarters of it left for everything else.
 * `wanted` where the limit cannot be read.
 */
const affordable = (wanted: number): Effect.Effect<number> =>
  Effect.try(() => Fs.readFileSync("/proc/self/limits", "utf8")).pipe(
    Effect.map((limits) => Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN)),
    Effect.map((openFiles) =>
      openFiles > 0 ? Math.max(8, Math.min(wanted, Math.floor(openFiles / 4))) : wanted
    ),
    Effect.orElseSucceed(() => wanted)
  )

/**
 * Binds the control socket and serves it until the scope closes: `ControlHandler` gets every valid request, all else
 * gets one line that says what is wrong. When this effect succeeds, clients can connect. Fails when the socket cannot
 * be bound. Only the owner of the daemon's lock may run it, for it replaces whatever is at the path.
 */
export const bind = (
  options: ControlServerOptions
): Effect.Effect<ControlServer, ControlServerError, Scope.Scope | ControlHandler> =>
  Effect.gen(function* () {
    const { path } = options
    const limits = { ...serverLimits, ...options.limits }
    const handler = yield* ControlHandler
    const run = yield* FiberSet.makeRuntime<never>()
    const clock = yield* Effect.clock

    /** A defect costs this answer and nothing else. */
    const survive = <A extends string | undefined>(type: string, answering: Effect.Effect<A>) =>
      Effect.catchAllCause(answering, (cause) =>
        Effect.as(
          Effect.logError(`The control request ${type} met a defect.`, cause),
          refusal(`Internal error while answering ${type}. The daemon goes on; its log has the cause.`)
        )
      )

    const respond: Respond = (text, { follow, reply }) => {
      const decoded = decodeRequest(text)
      if (Either.isLeft(decoded)) return reply(refusal(decoded.left))
      const request = decoded.right
      if (request.type !== "Subscribe") {
        const answering = Effect.map(
          Effect.suspend(() => handler.handle(request)),
          encodeResponse
        )
        run(Effect.map(survive(request.type, answering), reply))
        return
      }
      const follower = follow()
      if (follower === undefined) return
      const following = Effect.suspend(() => handler.follow(request, follower)).pipe(
        Effect.as(undefined),
        Effect.catchAll((reason) => Effect.succeed(refusal(reason)))
      )
      run(Effect.map(survive(request.type, following), (line) => line && follower.end(line)))
    }

    const maxConnections = yield* affordable(limits.maxConnections)
    const connections = yield* Effect.acquireRelease(
      Effect.sync(() => new ControlConnections({ ...limits, maxConnections }, respond)),
      (connections) => Effect.sync(() => connections.closeAll())
    )

    let quietUntilMs = 0
    const onAcceptError = (cause: Error): void => {
      // A descriptor that is free again is the only thing that lets the next client in.
      connections.makeRoom()
      const nowMs = clock.unsafeCurrentTimeMillis()
      if (nowMs < quietUntilMs) return
      quietUntilMs = nowMs + acceptErrorIntervalMs
      run(Effect.logWarning("A connection to the control socket could not be accepted.", cause))
    }

    const listen = ControlSocketFile.bindSocketFile(path, {
      onConnection: (socket) => connections.accept(socket),
      onAcceptError
    })
    const file = yield* ScopedRef.fromAcquire(listen)

    let complaint = ""
    const bindAgain = ScopedRef.set(file, listen).pipe(
      Effect.matchEffect({
        onFailure: (error) => {
          const isNew = error.message !== complaint
          complaint = error.message
          return isNew ? Effect.logError(`${error.message} It is tried again until it works.`) : Effect.void
        },
        onSuccess: () => {
          complaint = ""
          return Effect.logWarning(`The control socket ${path} was removed or replaced; it is bound again.`)
        }
      })
    )
    const keep = Effect.gen(function* () {
      yield* Effect.sleep(limits.socketCheckMs)
      const { isOurs } = yield* ScopedRef.get(file)
      if (!(yield* isOurs)) yield* bindAgain
    }).pipe(Effect.forever)

    return { keep }
  })
/** The control socket of this home: bound when the layer is built, looked after for as long as it lives. */

export const layer: Layer.Layer<never, ControlServerError, AutopilotHome | Concerns | ControlHandler> =
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { socket } = yield* AutopilotHome
      const { run } = yield* Concerns
      const { keep } = yield* bind({ path: socket })
      yield* run("control server", keep)
    })
  )
