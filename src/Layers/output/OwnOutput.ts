import * as fs from "node:fs"
import { Socket } from "node:net"
import { isatty } from "node:tty"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { countLines } from "../../Domain/output/Lines.ts"
import type { Level } from "../../Domain/text/Style.ts"
import { errorCode } from "../files/SystemError.ts"
import { isJournal, withPriority } from "./JournalStream.ts"

/** The other end: a terminal, systemd's journal, or a pipe, socket or file. */
export type OutputKind = "terminal" | "journal" | "other"

/** One of the daemon's output streams. */
export interface OwnStream {
  readonly kind: OutputKind
  /** False when the stream is closed or leads to /dev/null. */
  readonly isOpen: () => boolean
  /** The free room for workers' output, in bytes. */
  readonly roomBytes: () => number
  readonly write: (lines: string | Buffer) => void
  /** Counts lines skipped for lack of room. A note precedes the next line. */
  readonly leaveOut: (lines: number) => void
}

/**
 * The daemon's own standard output and error. Writing never waits and never fails: a terminal stopped by Ctrl-S, an idle
 * pager or a slow journal fills a bounded queue, then lines are dropped and a note counts them. A closed terminal or pipe
 * only ends the writing.
 */
export class OwnOutput extends Context.Tag("OwnOutput")<
  OwnOutput,
  {
    /** `out` and `err` also take the workers' output of the same name. */
    readonly out: OwnStream
    readonly err: OwnStream
    /** Writes a line of the daemon to standard error, with its priority in the journal. */
    readonly log: (level: Level, line: string) => void
  }
>() {}

const maxPendingBytes = 1024 * 1024

/** Reserved for the daemon's own lines, which workers' output must not displace. */
const ownReserveBytes = 64 * 1024

/** The delay before the next attempt at a full receiver, doubled while it takes nothing. */
const firstRetryMs = 2
const lastRetryMs = 100

/** At exit, pending output is dropped once the receiver takes nothing for this long ... */
const closingPauseMs = 300
/** ... or after this long in total. */
const closingLimitMs = 2000
const closingStepMs = 5

interface Writer extends Omit<OwnStream, "kind" | "write"> {
  readonly write: (lines: Buffer) => void
  readonly close: Effect.Effect<void>
}

/** Takes lines while there is room. A note with the number of dropped lines precedes the next ones. */
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
        take(Buffer.from(`... ${dropped} lines are not shown here: the terminal or pipe was too slow\n`))
      }
      dropped = 0
      take(lines)
    }
  }
}

/** A slow receiver, or a full disk. Other errors mean that the receiver is gone. */
const temporary: ReadonlySet<unknown> = new Set(["EAGAIN", "EINTR", "ENOSPC", "EDQUOT"])

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
    // In one piece: a hundred thousand lines may wait for a terminal after a night.
    let rest = queue.length === 1 && queue[0] !== undefined ? queue[0] : Buffer.concat(queue)
    try {
      while (rest.length > 0) rest = rest.subarray(fs.writeSync(target, rest))
    } catch (cause) {
      isGone = !temporary.has(errorCode(cause))
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
    isOpen: () => !isGone,
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

/** A socket, such as the journal's, cannot be opened again; libuv writes to it without blocking. */
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
    isOpen: () => socket !== undefined,
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
  isOpen: () => false,
  close: Effect.void
}

/**
 * Opens a terminal or pipe again through /proc with O_NONBLOCK: process.stdout blocks the event loop on both, and a write
 * that hangs in the thread pool blocks the exit. The flag on the inherited open file description would reach the shell
 * that shares it.
 */
const writeToReopened = (descriptor: number, isFifo: boolean): Writer => {
  try {
    return writeTo(
      fs.openSync(
        `/proc/self/fd/${descriptor}`,
        fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY
      )
    )
  } catch (cause) {
    // The pipe of another user (`sudo -u agent autopilotd start | tee`) can be written but not opened. Any other error
    // means a closed receiver.
    return isFifo && errorCode(cause) === "EACCES" ? writeToSocket(descriptor) : silent
  }
}

const writerFor = (descriptor: 1 | 2): Writer => {
  try {
    const stat = fs.fstatSync(descriptor)
    if (stat.isSocket()) return writeToSocket(descriptor)
    if (stat.isCharacterDevice() && stat.rdev === fs.statSync("/dev/null").rdev) return silent
    return stat.isFIFO() || isatty(descriptor)
      ? writeToReopened(descriptor, stat.isFIFO())
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
    // Two queues on one terminal would mix their lines.
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
      log: (level, line) => own.err.write(own.err.kind === "journal" ? withPriority(level, line) : line)
    }
  })
)
