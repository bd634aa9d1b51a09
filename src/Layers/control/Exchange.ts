import * as Fs from "node:fs"
import type { Duplex } from "node:stream"
import { ControlFraming } from "../../Domain/control/ControlFraming.ts"
import type { Unanswered } from "../../Domain/control/Unanswered.ts"

/**
 * One question to the daemon and its answer, in plain callbacks: what a quick command loads must be small, and Effect alone
 * takes longer to load than an answer takes to come.
 */

/** Bytes in the path of a Unix socket: `sun_path` has 108, and the last one is a NUL. */
export const maxSocketPathBytes = 107

/** The longest waits of a client, in milliseconds. */
export interface ExchangeLimits {
  /** Until the connection stands. A full backlog is retried for this long. */
  readonly connectMs: number
  /** From the connection until the first byte of the answer. */
  readonly firstByteMs: number
  /** From the start of the request until the end of the answer. */
  readonly wholeMs: number
}

export const exchangeLimits: ExchangeLimits = { connectMs: 5000, firstByteMs: 5000, wholeMs: 5000 }

/** The outcome of a request. The text of an answer is one JSON object in valid UTF-8. */
export type Exchanged = { readonly _tag: "Answered"; readonly text: string } | Unanswered

/** The largest answer is a settings file of 1 MiB with its escapes. */
const replyLimits = { maxBytes: 8 * 1024 * 1024, maxDepth: 64 }

const retryIntervalMs = 20

const unansweredFor = ({ code, message }: NodeJS.ErrnoException): Unanswered => {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
    case "ECONNREFUSED":
      return { _tag: "NotRunning" }
    case "EACCES":
    case "EPERM":
      return { _tag: "AccessDenied" }
    default:
      return { _tag: "Unclear", problem: `cannot be requested (${message})` }
  }
}

/**
 * Connects to a daemon, and calls `done` once: with the stream, which the caller destroys, or with why there is none.
 * Returns what gives up before `done` is called.
 */
export type Open = (done: (opened: Duplex | Unanswered) => void) => () => void

/** Connects to the daemon's socket on this machine. Waits while the daemon's backlog is full. */
export const socketAt =
  (path: string): Open =>
  (done) => {
    if (Buffer.byteLength(path) > maxSocketPathBytes) {
      done({ _tag: "NotRunning" })
      return () => undefined
    }
    let isGivenUp = false
    let giveUp = () => {
      isGivenUp = true
    }
    const attempt = async () => {
      // Node takes thirty modules for a socket, which help and version do without.
      const { connect } = await import("node:net")
      if (isGivenUp) return
      const socket = connect({ path })
      giveUp = () => void socket.destroy()
      const failed = (cause: NodeJS.ErrnoException) => {
        if (cause.code !== "EAGAIN") return done(unansweredFor(cause))
        const pause = setTimeout(() => void attempt(), retryIntervalMs)
        giveUp = () => clearTimeout(pause)
      }
      // An error event without a listener would end the process, and "close" follows each error.
      socket.on("error", () => undefined)
      socket.once("error", failed)
      socket.once("connect", () => {
        socket.off("error", failed)
        done(socket)
      })
    }
    void attempt()
    return () => giveUp()
  }

/** The daemon closes connections like this when too many are open, or when it has no file descriptors left. */
const isUnread = ({ code }: NodeJS.ErrnoException): boolean => code === "EPIPE" || code === "ECONNRESET"

/**
 * Sends a request in one write, without a newline and without closing our side, as the original's client does. The outcome
 * is known when the answer is complete or the connection ends, be it by a reset. A request that the daemon has not read is
 * sent again. `signal` gives up; the promise then stays open.
 */
export const exchange = (
  open: Open,
  request: string,
  limits: ExchangeLimits,
  signal?: AbortSignal
): Promise<Exchanged> =>
  new Promise((resolve) => {
    let waitedFor: Extract<Unanswered, { readonly _tag: "Timeout" }>["waitedFor"] = "connection"
    let giveUp = () => {}
    let patience: NodeJS.Timeout | undefined
    const over = () => {
      clearTimeout(patience)
      clearTimeout(whole)
      signal?.removeEventListener("abort", over)
      giveUp()
    }
    const settle = (outcome: Exchanged) => {
      over()
      resolve(outcome)
    }
    const timeoutAfter = (waitedMs: number) =>
      setTimeout(() => settle({ _tag: "Timeout", waitedFor, waitedMs }), waitedMs)
    const whole = timeoutAfter(limits.wholeMs)
    const waitFor = (what: typeof waitedFor, limitMs?: number) => {
      waitedFor = what
      clearTimeout(patience)
      patience = limitMs === undefined ? undefined : timeoutAfter(limitMs)
    }
    const converse = (socket: Duplex) => {
      let isHeard = false
      const framing = new ControlFraming(replyLimits)
      const take = (outcome: ReturnType<ControlFraming["feed"]>) => {
        if (outcome._tag === "Complete") settle({ _tag: "Answered", text: outcome.text })
        if (outcome._tag === "Refused") settle({ _tag: "Unclear", problem: outcome.reason })
      }
      let isClosed = false
      const end = () => !isClosed && take(framing.end())
      giveUp = () => {
        isClosed = true
        // To destroy a socket, Node makes the stream of standard error: a command that has its answer exits before.
        setImmediate(() => socket.destroy())
      }
      waitFor("answer", limits.firstByteMs)
      socket.on("data", (chunk: Buffer) => {
        isHeard = true
        waitFor("rest of the answer")
        take(framing.feed(chunk))
      })
      // The request is one write, and a Unix socket breaks or resets before any answer only if it was not read.
      socket.on("error", (cause) => {
        if (isClosed || isHeard || !isUnread(cause)) return
        giveUp()
        const pause = setTimeout(attempt, retryIntervalMs)
        giveUp = () => clearTimeout(pause)
      })
      // Follows the end and every error.
      socket.on("close", end)
      // A stream to another machine was paused behind its first line.
      socket.resume()
      socket.write(request)
    }
    const attempt = () => {
      waitFor("connection", limits.connectMs)
      giveUp = open((opened) => ("_tag" in opened ? settle(opened) : converse(opened)))
    }
    signal?.addEventListener("abort", over)
    attempt()
  })

/**
 * Asks the disk of the socket first, in one of libuv's threads: connect(2), which Node calls in the event loop, would hang
 * with that disk.
 */
export const exchangeOverDisk = (path: string, request: string, limits: ExchangeLimits): Promise<Exchanged> =>
  new Promise((resolve) => {
    const { wholeMs } = limits
    const patience = setTimeout(
      () => resolve({ _tag: "Timeout", waitedFor: "disk", waitedMs: wholeMs }),
      wholeMs
    )
    Fs.stat(path, (error) => {
      clearTimeout(patience)
      // No socket needs Node's thirty modules of one.
      if (error?.code === "ENOENT") return resolve({ _tag: "NotRunning" })
      resolve(exchange(socketAt(path), request, limits))
    })
  })
