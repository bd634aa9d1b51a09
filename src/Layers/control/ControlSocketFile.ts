import * as Fs from "node:fs/promises"
import * as Net from "node:net"
import * as Path from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { askDisk } from "../files/PathQuestions.ts"
import { errorCode } from "../files/SystemError.ts"
import { maxSocketPathBytes } from "./Exchange.ts"

/** Cause and action, by the system's error code. */
const explain = (path: string, code: string): string => {
  const folder = Path.dirname(path)
  const elsewhere = "set AUTOPILOT_HOME to another folder"
  switch (code) {
    case "ENOENT":
      return `the folder ${folder} does not exist. Create it, or ${elsewhere}.`
    case "ENOTDIR":
      return `${folder} is not a folder. Make it one, or ${elsewhere}.`
    case "EACCES":
    case "EPERM":
      return `this user may not write to ${folder}. Make the folder writable, or ${elsewhere}.`
    case "EROFS":
      return `${folder} is on a read-only file system. Make it writable, or ${elsewhere}.`
    case "ENOSPC":
    case "EDQUOT":
      return `the disk that holds ${folder} is full. Free some space there, or ${elsewhere}.`
    case "EISDIR":
      return `a folder has that name. Rename it, or ${elsewhere}.`
    case "EMFILE":
    case "ENFILE":
      return "no more files can be opened. Raise the limit (ulimit -n) and start again."
    case "ETIMEDOUT":
      return `the disk of ${folder} does not answer. Check that disk, or ${elsewhere}.`
    default:
      return `the system refused it. Check ${folder}, or ${elsewhere}.`
  }
}

/** The control socket cannot be bound, at the start or after its file was removed. */
export class ControlServerError extends Data.TaggedError("ControlServerError")<{
  readonly path: string
  /** The system's code, such as `EACCES`; `ENAMETOOLONG` for a path that no Unix socket can have. */
  readonly code: string
  readonly cause: unknown
}> {
  static from(path: string, cause: unknown): ControlServerError {
    return new ControlServerError({ path, code: errorCode(cause) ?? "unknown error", cause })
  }

  override get message(): string {
    if (this.code === "ENAMETOOLONG") {
      return (
        `The path of the control socket has ${Buffer.byteLength(this.path)} bytes, but Linux allows ` +
        `${maxSocketPathBytes}: ${this.path}. Set AUTOPILOT_HOME to a folder with a shorter path.`
      )
    }
    return `The control socket ${this.path} cannot be made (${this.code}): ${explain(this.path, this.code)}`
  }
}

/** The file by which clients find the listening socket. */
interface ControlSocketFile {
  /** Whether the file at the path is still the one that was bound. A disk that does not answer has not lost it. */
  readonly isOurs: Effect.Effect<boolean>
}

interface Listener {
  readonly onConnection: (socket: Net.Socket) => void
  /** Called when a connection cannot be accepted, usually for want of file descriptors. */
  readonly onAcceptError: (cause: Error) => void
}

/** Clients that may wait to be accepted. The kernel fails the next connect(2) with EAGAIN, and our client repeats it. */
const backlog = 1024

/** Shorter than `autopilotd.sock`, so that it fits into `sun_path` wherever that does. */
const temporaryName = ".sock-new"

interface Identity {
  readonly dev: bigint
  readonly ino: bigint
}

/** A listening socket keeps its inode, so no other file can have the same number. */
const isSameFile = (a: Identity, b: Identity): boolean => a.dev === b.dev && a.ino === b.ino

/**
 * Binds and listens. From the same moment on the listener has each connection and each failed accept: Node accepts a
 * client whether anybody listens for it or not, and one that nobody has taken waits for ever.
 */
const listenAt = (server: Net.Server, path: string, listener: Listener): Effect.Effect<void, Error> =>
  Effect.async((resume) => {
    const onError = (cause: Error): void => resume(Effect.fail(cause))
    server.once("error", onError)
    server.on("connection", listener.onConnection)
    server.listen({ path, backlog }, () => {
      server.off("error", onError)
      server.on("error", listener.onAcceptError)
      resume(Effect.void)
    })
  })

const unlinkIfExists = (path: string): Promise<void> =>
  Fs.unlink(path).catch((cause) => (errorCode(cause) === "ENOENT" ? undefined : Promise.reject(cause)))

const temporaryOf = (path: string): string => Path.join(Path.dirname(path), temporaryName)

const refuse = (socket: Net.Socket): void => void socket.destroy()

/**
 * Closes the server. Node then unlinks the temporary name in the event loop, which would hang with the disk, so the disk
 * is asked first. While the disk does not answer, the server stays open and accepts nobody: the process takes it along.
 */
const closeServer = (server: Net.Server, path: string): Effect.Effect<void> =>
  askDisk(
    Path.dirname(path),
    path,
    Effect.promise(() => unlinkIfExists(temporaryOf(path)).catch(() => undefined))
  ).pipe(
    Effect.match({
      onSuccess: () => void server.close(),
      onFailure: () => void server.removeAllListeners("connection").on("connection", refuse).unref()
    })
  )

/**
 * Binds under a temporary name, sets mode 0600 and renames the file into place: no client meets a socket that is open
 * to all or not listening yet, and the rename replaces whatever was at the path. Only the owner of the daemon's lock may
 * call this, because the file in its way then belongs to a daemon that has exited. Node binds in the event loop, which would hang
 * with the disk, so the disk is asked right before.
 */
const bindAndRename = (
  server: Net.Server,
  path: string,
  listener: Listener
): Effect.Effect<Identity, ControlServerError> => {
  const temporary = temporaryOf(path)
  const attempt = <A>(evaluate: () => Promise<A>) =>
    askDisk(
      Path.dirname(path),
      path,
      Effect.tryPromise({ try: evaluate, catch: (cause) => ControlServerError.from(path, cause) })
    ).pipe(
      Effect.catchTag("SilentDisk", (cause) => new ControlServerError({ path, code: "ETIMEDOUT", cause }))
    )
  return Effect.gen(function* () {
    if (Buffer.byteLength(path) > maxSocketPathBytes) {
      return yield* new ControlServerError({ path, code: "ENAMETOOLONG", cause: undefined })
    }
    yield* attempt(async () => {
      // Checked first: Node's listen reports EACCES for a folder that does not exist.
      await Fs.stat(Path.dirname(path))
      // A daemon killed between binding and renaming has left its temporary file.
      await unlinkIfExists(temporary)
    })
    yield* Effect.mapError(listenAt(server, temporary, listener), (cause) =>
      ControlServerError.from(path, cause)
    )
    return yield* attempt(async () => {
      await Fs.chmod(temporary, 0o600)
      const identity = await Fs.lstat(temporary, { bigint: true })
      await Fs.rename(temporary, path)
      return { dev: identity.dev, ino: identity.ino }
    })
  })
}

/**
 * Listens at `path` (absolute) until the scope closes, which unlinks the file if it is still ours. Open connections are
 * left alone.
 */
export const bindSocketFile = (
  path: string,
  listener: Listener
): Effect.Effect<ControlSocketFile, ControlServerError, Scope.Scope> =>
  Effect.gen(function* () {
    // Half-open: a client may close its side after the request and still read the answer.
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => Net.createServer({ allowHalfOpen: true })),
      (server) => closeServer(server, path)
    )
    const isAtPath = (identity: Identity) =>
      askDisk(
        Path.dirname(path),
        path,
        Effect.tryPromise(() => Fs.lstat(path, { bigint: true }))
      ).pipe(
        Effect.map((found) => isSameFile(found, identity)),
        Effect.catchTag("UnknownException", () => Effect.succeed(false))
      )
    const identity = yield* Effect.acquireRelease(bindAndRename(server, path, listener), (identity) =>
      isAtPath(identity).pipe(
        Effect.flatMap((isOurs) => {
          const unlink = Effect.tryPromise(() => unlinkIfExists(path))
          return isOurs ? askDisk(Path.dirname(path), path, unlink) : Effect.void
        }),
        Effect.catchAll((cause) =>
          Effect.logWarning(`The control socket ${path} could not be removed.`, cause)
        )
      )
    )
    return { isOurs: Effect.orElseSucceed(isAtPath(identity), () => true) }
  })
