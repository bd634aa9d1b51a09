import * as fs from "node:fs"
import { Socket } from "node:net"
import { isatty } from "node:tty"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { countLines } from "../../Domain/output/Lines.ts"
import type { Level } from "../../Domain/text/Level.ts"
import { errorCode } from "../files/SystemError.ts"
import { isJournal, withPriority } from "./JournalStream.ts"

/** What is at the other end: a person's terminal, systemd's journal, or a pipe, socket or file. */
export type OutputKind = "terminal" | "journal" | "other"

/** Where lines go. */
export interface OwnStream {
  readonly kind: OutputKind
  /** False when nobody hears: it is closed, or leads to /dev/null. */
  readonly isHeard: () => boolean
  /** How many bytes of what a worker says are taken now. */
  readonly roomBytes: () => number
  readonly write: (lines: string | Buffer) => void
  /** So many lines are not written because there was no room: the next that are say so. */
  readonly leaveOut: (lines: number) => void
}

/**
 * The daemon's own standard output and error. Writing never waits and never fails: a terminal stopped by Ctrl-S, a
 * pager that does not read, a slow journal fill a bounded queue, then lines are dropped and one line says how many;
 * a closed terminal or pipe ends the writing and nothing else.
 */
export class OwnOutput extends Context.Tag("OwnOutput")<
  OwnOutput,
  {
    /** For what workers say on each of theirs. */
    readonly out: OwnStream
    readonly err: OwnStream
    /** One line of the daemon's own on standard error; the journal is told how serious it is. */
    readonly tell: (level: Level, line: string) => void
  }
>() {}

const maxPendingBytes = 1024 * 1024

/** So much of that is for the daemon's own lines: what workers say must not cost them their place. */
const ownReserveBytes = 64 * 1024

/** How soon a receiver that is full is tried again; while it takes nothing, less and less often. */
const firstRetryMs = 2
const lastRetryMs = 100

/** At the end a receiver may take nothing for this long before what is pending is given up ... */
const closingPauseMs = 300
/** ... and all in all, when it is merely slow, this long. */
const closingLimitMs = 2000
const closingStepMs = 5

interface Writer extends Omit<OwnStream, "kind" | "write"> {
  readonly write: (lines: Buffer) => void
  readonly close: Effect.Effect<void>
}

/** Takes lines while there is room for them; the next that are taken are preceded by how many were not. */
const bounded = (
  pendingBytes: () => number,
  take: (lines: Buffer) => void
): Pick<Writer, "write" | "roomBytes" | "leaveOut"> => {
  let dropped = 0
  return {
    roomBytes: () => maxPendingBytes - ownReserveBytes - pendingBytes(),
    leaveOut: (lines) => {
      dropped += lines
    },
    write: (lines) => {
      if (pendingBytes() + lines.length > maxPendingBytes) {
        dropped += countLines(lines)
        return
      }
      if (dropped > 0) {
        take(Buffer.from(`... ${dropped} lines are not shown here: the terminal or pipe did not take them\n`))
      }
      dropped = 0
      take(lines)
    }
  }
}

/** What passes: a receiver that does not read, a file on a full disk. All else means that nobody is there any more. */
const passing: ReadonlySet<unknown> = new Set(["EAGAIN", "EINTR", "ENOSPC", "EDQUOT"])

const writeTo = (target: number): Writer => {
  let queue: Array<Buffer> = []
  let pendingBytes = 0
  let isGone = false
  let timer: NodeJS.Timeout | undefined
  let retryMs = firstRetryMs

  const pump = () => {
    clearTimeout(timer)
    timer = undefined
    const before = pendingBytes
    // In one piece: a terminal that goes on after a night may have a hundred thousand lines waiting.
    let rest = queue.length === 1 && queue[0] !== undefined ? queue[0] : Buffer.concat(queue)
    try {
      while (rest.length > 0) rest = rest.subarray(fs.writeSync(target, rest))
    } catch (cause) {
      isGone = !passing.has(errorCode(cause))
    }
    queue = isGone || rest.length === 0 ? [] : [rest]
    pendingBytes = isGone ? 0 : rest.length
    retryMs = pendingBytes < before ? firstRetryMs : Math.min(2 * retryMs, lastRetryMs)
    if (pendingBytes > 0) timer = setTimeout(pump, retryMs).unref()
  }

  return {
    ...bounded(
      () => pendingBytes,
      (lines) => {
        if (isGone) return
        queue.push(lines)
        pendingBytes += lines.length
        if (timer === undefined) pump()
      }
    ),
    isHeard: () => !isGone,
    close: Effect.gen(function* () {
      let pauseMs = 0
      for (
        let ms = 0;
        pendingBytes > 0 && pauseMs < closingPauseMs && ms < closingLimitMs;
        ms += closingStepMs
      ) {
        const before = pendingBytes
        yield* Effect.sleep(Duration.millis(closingStepMs))
        pump()
        pauseMs = pendingBytes < before ? 0 : pauseMs + closingStepMs
      }
      clearTimeout(timer)
    })
  }
}

/** A socket, as the journal gives: it cannot be opened anew, and libuv writes to it without blocking. */
const writeToSocket = (descriptor: number): Writer => {
  let socket: Socket | undefined = new Socket({ fd: descriptor, readable: false, writable: true })
  socket.on("error", () => {
    socket = undefined
  })
  socket.unref()
  return {
    ...bounded(
      () => socket?.writableLength ?? 0,
      (lines) => void socket?.write(lines)
    ),
    isHeard: () => socket !== undefined,
    close: Effect.suspend(() => {
      const open = socket
      if (open === undefined || open.writableLength === 0) return Effect.void
      return Effect.async<void>((resume) => void open.once("drain", () => resume(Effect.void))).pipe(
        Effect.timeoutOption(closingPauseMs),
        Effect.asVoid
      )
    })
  }
}

const silent: Writer = {
  write: () => {},
  roomBytes: () => maxPendingBytes,
  leaveOut: () => {},
  isHeard: () => false,
  close: Effect.void
}

/**
 * process.stdout blocks the event loop on terminals and pipes, and a write that hangs in the thread pool blocks the
 * exit. So a terminal or a pipe is opened anew through /proc, without blocking: a new open file description, because
 * the flag on the inherited one would reach the shell that shares it.
 */
const writeToOpenedAnew = (descriptor: number, isFifo: boolean): Writer => {
  try {
    return writeTo(
      fs.openSync(
        `/proc/self/fd/${descriptor}`,
        fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY
      )
    )
  } catch (cause) {
    // The pipe of another user (`sudo -u agent autopilotd start | tee`) may be written and not opened; libuv writes
    // to it as it is. All else is closed at the other end.
    return isFifo && errorCode(cause) === "EACCES" ? writeToSocket(descriptor) : silent
  }
}

const writerFor = (descriptor: 1 | 2): Writer => {
  try {
    const stat = fs.fstatSync(descriptor)
    if (stat.isSocket()) return writeToSocket(descriptor)
    if (stat.isCharacterDevice() && stat.rdev === fs.statSync("/dev/null").rdev) return silent
    return stat.isFIFO() || isatty(descriptor)
      ? writeToOpenedAnew(descriptor, stat.isFIFO())
      : writeTo(descriptor)
  } catch {
    return silent // started with the descriptor closed
  }
}

const areTheSame = (one: number, other: number): boolean => {
  try {
    const [a, b] = [fs.fstatSync(one), fs.fstatSync(other)]
    return a.dev === b.dev && a.ino === b.ino
  } catch {
    return false // one of them is closed
  }
}

const kindOf = (descriptor: number): OutputKind =>
  isatty(descriptor) ? "terminal" : isJournal(descriptor) ? "journal" : "other"

export const layer: Layer.Layer<OwnOutput> = Layer.scoped(
  OwnOutput,
  Effect.gen(function* () {
    const out = writerFor(1)
    // On one terminal two queues would cut each other's lines in half, and the last words would not be the last.
    const err = areTheSame(1, 2) ? out : writerFor(2)
    yield* Effect.addFinalizer(() =>
      Effect.forEach(new Set([out, err]), (writer) => writer.close, {
        concurrency: "unbounded",
        discard: true
      }).pipe(Effect.interruptible)
    )
    const stream = (writer: Writer, descriptor: 1 | 2): OwnStream => ({
      ...writer,
      kind: kindOf(descriptor),
      write: (lines) => writer.write(typeof lines === "string" ? Buffer.from(lines) : lines)
    })
    const own = { out: stream(out, 1), err: stream(err, 2) }
    return {
      ...own,
      tell: (level, line) => own.err.write(own.err.kind === "journal" ? withPriority(level, line) : line)
    }
  })
)
