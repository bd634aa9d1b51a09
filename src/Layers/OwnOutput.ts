import * as fs from "node:fs"
import { Socket } from "node:net"
import { isatty } from "node:tty"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * The daemon's own standard output and error. Writing never waits and never fails: a terminal stopped by Ctrl-S, a
 * pager that does not read, a slow journal fill a bounded queue, then lines are dropped and one line says how many;
 * a closed terminal or pipe ends the writing and nothing else.
 */
export class OwnOutput extends Context.Tag("OwnOutput")<
  OwnOutput,
  { readonly out: (line: string | Buffer) => void; readonly err: (line: string | Buffer) => void }
>() {}

const maxPendingBytes = 1024 * 1024

/** How often a receiver that takes nothing is tried again. */
const retryIntervalMs = 100

/** What is pending at the end is offered this long. */
const closingLimitMs = 300

interface Writer {
  readonly write: (line: Buffer) => void
  readonly close: Effect.Effect<void>
}

/**
 * process.stdout blocks the event loop on terminals and pipes, and a write that hangs in the thread pool blocks the
 * exit. So a terminal or a pipe is opened anew through /proc, without blocking: a new open file description, because
 * the flag on the inherited one would reach the shell that shares it.
 */
const openWithoutBlocking = (descriptor: number): number | undefined => {
  try {
    return fs.openSync(
      `/proc/self/fd/${descriptor}`,
      fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY
    )
  } catch {
    return undefined // closed at the other end, or not ours to open
  }
}

const isFifoOrTerminal = (descriptor: number): boolean =>
  isatty(descriptor) || fs.fstatSync(descriptor).isFIFO()

const codeOf = (cause: unknown): unknown =>
  cause instanceof Error && "code" in cause ? cause.code : undefined

const writeTo = (target: number): Writer => {
  const queue: Array<Buffer> = []
  let pendingBytes = 0
  let dropped = 0
  let isGone = false
  let timer: NodeJS.Timeout | undefined

  const pump = () => {
    timer = undefined
    try {
      for (let head = queue[0]; head !== undefined; head = queue[0]) {
        const written = fs.writeSync(target, head)
        pendingBytes -= written
        if (written < head.length) queue[0] = head.subarray(written)
        else queue.shift()
      }
    } catch (cause) {
      if (codeOf(cause) === "EAGAIN") {
        timer = setTimeout(pump, retryIntervalMs)
        timer.unref()
      } else {
        isGone = true
        queue.length = 0
      }
    }
  }

  const push = (line: Buffer) => {
    queue.push(line)
    pendingBytes += line.length
  }

  return {
    write: (line) => {
      if (isGone) return
      if (pendingBytes + line.length > maxPendingBytes) {
        dropped++
        return
      }
      if (dropped > 0)
        push(Buffer.from(`... ${dropped} lines are not shown here: the terminal or pipe did not take them\n`))
      dropped = 0
      push(line)
      if (timer === undefined) pump()
    },
    close: Effect.gen(function* () {
      for (let waitedMs = 0; queue.length > 0 && !isGone && waitedMs < closingLimitMs; waitedMs += 20) {
        yield* Effect.sleep("20 millis")
        pump()
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
    write: (line) => {
      if (socket !== undefined && socket.writableLength + line.length <= maxPendingBytes) socket.write(line)
    },
    close: Effect.suspend(() => {
      const open = socket
      if (open === undefined || open.writableLength === 0) return Effect.void
      return Effect.async<void>((resume) => void open.once("drain", () => resume(Effect.void))).pipe(
        Effect.timeoutOption(closingLimitMs),
        Effect.asVoid
      )
    })
  }
}

const silent: Writer = { write: () => {}, close: Effect.void }

const writerFor = (descriptor: 1 | 2): Writer => {
  try {
    const stat = fs.fstatSync(descriptor)
    if (stat.isSocket()) return writeToSocket(descriptor)
    if (!isFifoOrTerminal(descriptor)) return writeTo(descriptor)
    const own = openWithoutBlocking(descriptor)
    return own === undefined ? silent : writeTo(own)
  } catch {
    return silent // started with the descriptor closed
  }
}

const toBuffer = (line: string | Buffer): Buffer => (typeof line === "string" ? Buffer.from(line) : line)

export const layer: Layer.Layer<OwnOutput> = Layer.scoped(
  OwnOutput,
  Effect.gen(function* () {
    const out = writerFor(1)
    const err = writerFor(2)
    yield* Effect.addFinalizer(() =>
      Effect.all([out.close, err.close], { concurrency: "unbounded", discard: true }).pipe(
        Effect.interruptible
      )
    )
    return { out: (line) => out.write(toBuffer(line)), err: (line) => err.write(toBuffer(line)) }
  })
)

/** Says nothing: for tests. */
export const layerSilent: Layer.Layer<OwnOutput> = Layer.succeed(OwnOutput, { out: () => {}, err: () => {} })
