import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ControlServerError, maxSocketPathBytes } from "./ControlServerError.ts"

/** A socket that listens, and the file by which clients find it. */
export interface ControlSocketFile {
  /** Is the file at the path still the one that was bound? Whatever prevents a look counts as no. */
  readonly isOurs: Effect.Effect<boolean>
}

/** What the listening socket tells. */
export interface Listener {
  readonly onConnection: (socket: Net.Socket) => void
  /** A connection could not be taken, for want of file descriptors as a rule. */
  readonly onAcceptError: (cause: Error) => void
}

/** How many clients may wait to be accepted. A client above it is told to try again (EAGAIN) and does. */
const backlog = 1024

/** Shorter than `autopilotd.sock`, so that it fits wherever that does. */
const temporaryName = ".sock-new"

interface Identity {
  readonly dev: bigint
  readonly ino: bigint
}

/** While a socket listens it keeps its inode, so no other file can have the same number. */
const isSameFile = (a: Identity, b: Identity): boolean => a.dev === b.dev && a.ino === b.ino

const listenAt = (server: Net.Server, path: string): Effect.Effect<void, Error> =>
  Effect.async((resume) => {
    const onError = (cause: Error): void => resume(Effect.fail(cause))
    server.once("error", onError)
    server.listen({ path, backlog }, () => {
      server.off("error", onError)
      resume(Effect.void)
    })
  })

const unlinkIfExists = (path: string): void => Fs.rmSync(path, { force: true })

/**
 * Binds under a temporary name, closes the file to other users and renames it into place, so that a client never
 * meets a socket that is open to all or not yet listening, and whatever was at the path is replaced in one step.
 * Only the owner of the daemon's lock may call this: a file that is in the way belongs to nobody who lives.
 */
const bindAndRename = (server: Net.Server, path: string): Effect.Effect<Identity, ControlServerError> => {
  const temporary = Path.join(Path.dirname(path), temporaryName)
  const attempt = <A>(evaluate: () => A) =>
    Effect.try({ try: evaluate, catch: (cause) => ControlServerError.from(path, cause) })
  return Effect.gen(function* () {
    if (Buffer.byteLength(path) > maxSocketPathBytes) {
      return yield* new ControlServerError({ path, code: "ENAMETOOLONG", cause: undefined })
    }
    yield* attempt(() => {
      // Asked first: from listen, node says EACCES for a folder that does not exist.
      Fs.statSync(Path.dirname(path))
      // A daemon killed between binding and renaming has left its temporary file.
      unlinkIfExists(temporary)
    })
    yield* Effect.mapError(listenAt(server, temporary), (cause) => ControlServerError.from(path, cause))
    return yield* attempt(() => {
      Fs.chmodSync(temporary, 0o600)
      const identity = Fs.lstatSync(temporary, { bigint: true })
      Fs.renameSync(temporary, path)
      return { dev: identity.dev, ino: identity.ino }
    })
  })
}

/**
 * Listens at `path` (absolute) until the scope closes; then the file is unlinked if it is still ours. Connections
 * that are open at that time are not touched.
 */
export const bindSocketFile = (
  path: string,
  listener: Listener
): Effect.Effect<ControlSocketFile, ControlServerError, Scope.Scope> =>
  Effect.gen(function* () {
    // Half-open: a client that has sent its request and closes its side still wants the answer.
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => Net.createServer({ allowHalfOpen: true })),
      (server) => Effect.sync(() => void server.close())
    )
    const identity = yield* Effect.acquireRelease(bindAndRename(server, path), (identity) =>
      Effect.sync(() => {
        const found = Fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
        if (found !== undefined && isSameFile(found, identity)) unlinkIfExists(path)
      }).pipe(
        Effect.catchAllDefect((cause) =>
          Effect.logWarning(`The control socket ${path} could not be removed.`, cause)
        )
      )
    )
    server.on("connection", listener.onConnection)
    server.on("error", listener.onAcceptError)
    // Not through the thread pool: this is asked for ever, and wakes nobody else so.
    const isOurs = Effect.try(() => Fs.lstatSync(path, { bigint: true })).pipe(
      Effect.map((found) => isSameFile(found, identity)),
      Effect.orElseSucceed(() => false)
    )
    return { isOurs }
  })
