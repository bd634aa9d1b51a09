import type * as Net from "node:net"
import * as Effect from "effect/Effect"
import { ControlFraming, requestAdvice, unreadableRequest } from "../../Domain/control/ControlFraming.ts"
import { encodeResponse } from "../../Domain/control/ControlWire.ts"
import type { ErrorCode } from "../../Domain/control/ErrorCode.ts"
import { subscriptionLine } from "../../Domain/control/Subscription.ts"
import { isEqual, latest } from "../concurrency/Latest.ts"
import { endInPieces } from "./EndInPieces.ts"

/** Bounds what clients of the control socket may cost. */
export interface ConnectionLimits {
  /** Milliseconds from connecting until the request must be complete. */
  readonly requestMs: number
  /** Open connections. One more closes the connection that has waited longest for its own request. */
  readonly maxConnections: number
  /** Milliseconds from the answer, or from the last piece that the client took of it, until the daemon closes the connection. */
  readonly lingerMs: number
  /** Bytes discarded after the answer, so that a client that still sends comes to read it. */
  readonly lingerBytes: number
  /** Bytes that may wait for a subscriber before the daemon cuts it off. */
  readonly followerBytes: number
}

/** A subscriber's connection. */
export interface Follower {
  /** Never waits: a client that does not read is cut off, with a notice, once too much waits for it. */
  readonly send: (line: string) => void
  /** Returns when the client has disconnected or was cut off. */
  readonly gone: Effect.Effect<void>
}

/** One line, as text or as its bytes. */
export type Line = string | Uint8Array

/** Two ways to go on with a connection whose request is complete. */
interface Reply {
  /** Answers with a whole line. Later calls do nothing. */
  readonly reply: (line: Line) => void
  /** Keeps the connection for a subscriber. Undefined when there are too many, which refuses the client. */
  readonly follow: () => (Follower & { readonly end: (line: Line) => void }) | undefined
}

/** Takes the text of one JSON object. */
export type Respond = (text: string, answer: Reply) => void

const phases = ["reading", "handling", "following", "closing"] as const
type Phase = (typeof phases)[number]

/** The phases that a connection must leave in time. */
type TimedPhase = "reading" | "closing"

/** Connections that subscribers never take. */
const keptForQuestions = 32

interface Connection {
  readonly socket: Net.Socket
  readonly framing: ControlFraming
  /** The end of its phase, as performance.now() counts. */
  dueMs: number
  discardedBytes: number
  /** Called when a subscriber is gone. */
  onGone: () => void
}

/** The answer to a request that is not carried out. */
export const refusal = (message: string, code: ErrorCode = "bad_request"): string =>
  encodeResponse({ success: false, message, code })

/** Why a request is not carried out. */
interface Refused {
  readonly message: string
  readonly code: ErrorCode
}

const closesSocket = "The daemon is closing its control socket."

/** The last line of a subscription. */
const notice = (message: string): string => subscriptionLine({ type: "notice", message })

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`

const lateRequest = (requestMs: number): string =>
  `No complete request arrived within ${seconds(requestMs)}. ${requestAdvice}`

const firstOf = <A>(set: ReadonlySet<A>): A | undefined => set.values().next().value

/**
 * The open connections of the control socket. Each brings one request and gets one answer, in one write, and is closed;
 * a subscriber's stays open. Works on Node's callbacks: a fiber for each of a thousand silent clients would cost more.
 */
export class ControlConnections {
  readonly #limits: ConnectionLimits
  readonly #respond: Respond
  /** A thousand clients are refused for the same reason. */
  readonly #refusal = latest(({ code, message }: Refused) => refusal(message, code), isEqual)
  /** Every open connection is in one of these, the oldest first. */
  readonly #phases: Readonly<Record<Phase, Set<Connection>>> = {
    reading: new Set(),
    handling: new Set(),
    following: new Set(),
    closing: new Set()
  }
  /** Connections enter a phase in the order in which they must leave it, so that one timer is enough for all of them. */
  readonly #timers: Record<TimedPhase, NodeJS.Timeout | undefined> = {
    reading: undefined,
    closing: undefined
  }

  constructor(limits: ConnectionLimits, respond: Respond) {
    this.#limits = limits
    this.#respond = respond
  }

  get count(): number {
    const { closing, following, handling, reading } = this.#phases
    return reading.size + handling.size + following.size + closing.size
  }

  accept(socket: Net.Socket): void {
    const connection: Connection = {
      socket,
      framing: new ControlFraming(),
      dueMs: performance.now() + this.#limits.requestMs,
      discardedBytes: 0,
      onGone: () => {}
    }
    // A client that disconnects is no error of the daemon, and "close" follows.
    socket.on("error", () => undefined)
    socket.on("close", () => this.#forget(connection))
    const hasRoom = this.count < this.#limits.maxConnections || this.makeRoom()
    this.#phases.reading.add(connection)
    if (!hasRoom) {
      this.#refuse(connection, "Too many requests are in progress. Try again in a moment.", "no_answer")
      this.#close(connection)
      return
    }
    this.#time("reading")
    socket.on("data", (chunk) => this.#read(connection, chunk))
    socket.on("end", () => this.#ended(connection))
  }

  /**
   * Closes the least useful connection: an answered one, else the one that has waited longest for its request. Returns
   * whether there was one.
   */
  makeRoom(): boolean {
    const waiting = firstOf(this.#phases.reading)
    if (this.#phases.closing.size === 0 && waiting !== undefined) {
      const reason = "Too many connections are open, and this one has waited longest for its request."
      this.#refuse(waiting, reason, "no_answer")
    }
    const answered = firstOf(this.#phases.closing)
    if (answered !== undefined) this.#close(answered)
    return answered !== undefined
  }

  /** Refuses the requests that have no answer yet, and closes every connection. */
  closeAll(): void {
    for (const connection of [...this.#phases.reading, ...this.#phases.handling]) {
      this.#refuse(connection, closesSocket, "no_daemon")
    }
    for (const connection of this.#phases.following) {
      this.#end(connection, notice(closesSocket))
    }
    for (const connection of this.#phases.closing) this.#close(connection)
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
  }

  /** Sets the timer of a phase to its oldest connection. One that has left meanwhile costs a timer that finds nothing. */
  #time(phase: TimedPhase): void {
    const oldest = firstOf(this.#phases[phase])
    if (oldest === undefined || this.#timers[phase] !== undefined) return
    const late = (): void => {
      this.#timers[phase] = undefined
      for (const connection of this.#phases[phase]) {
        if (connection.dueMs > performance.now()) break
        if (phase === "reading") this.#refuse(connection, lateRequest(this.#limits.requestMs))
        else this.#close(connection)
      }
      this.#time(phase)
    }
    // After SIGSTOP and SIGCONT, timers run before input: one more turn reads a request that arrived meanwhile.
    this.#timers[phase] = setTimeout(() => setImmediate(late), oldest.dueMs - performance.now())
  }

  /** Frees the descriptor now. A short answer is not lost: its write has passed it to the kernel. */
  #close(connection: Connection): void {
    connection.socket.destroy()
    this.#forget(connection)
  }

  #read(connection: Connection, chunk: Buffer): void {
    if (this.#phases.closing.has(connection) || this.#phases.following.has(connection)) {
      connection.discardedBytes += chunk.length
      if (connection.discardedBytes > this.#limits.lingerBytes) connection.socket.destroy()
      return
    }
    if (this.#phases.reading.has(connection)) this.#advance(connection, connection.framing.feed(chunk))
  }

  #ended(connection: Connection): void {
    if (this.#phases.reading.has(connection)) this.#advance(connection, connection.framing.end())
  }

  #advance(connection: Connection, framing: ReturnType<ControlFraming["feed"]>): void {
    switch (framing._tag) {
      case "Incomplete":
        return
      case "Refused":
        return this.#refuse(connection, unreadableRequest(framing.reason))
      case "Complete": {
        this.#phases.reading.delete(connection)
        this.#phases.handling.add(connection)
        this.#respond(framing.text, {
          reply: (line) => this.#reply(connection, line),
          follow: () => this.#follow(connection)
        })
        // Anything more that the client sends waits in the kernel until the answer is written.
        if (this.#phases.handling.has(connection)) connection.socket.pause()
        return
      }
    }
  }

  #refuse(connection: Connection, message: string, code: ErrorCode = "bad_request"): void {
    this.#reply(connection, this.#refusal({ message, code }))
  }

  /**
   * Answers, unless the client has gone or has its answer. The connection then lingers until the client closes it:
   * closing with unread input resets the connection, and the client's next write fails before it reads the answer.
   */
  #reply(connection: Connection, line: Line): void {
    const { reading, handling } = this.#phases
    if (reading.delete(connection) || handling.delete(connection)) this.#linger(connection, line)
  }

  #linger(connection: Connection, line: Line): void {
    const { closing } = this.#phases
    const { socket } = connection
    const wait = () => {
      connection.dueMs = performance.now() + this.#limits.lingerMs
      closing.add(connection)
      this.#time("closing")
    }
    wait()
    // Its time begins again while the client reads a long answer.
    endInPieces(socket, line, () => closing.delete(connection) && wait())
    socket.resume()
  }

  #follow(connection: Connection): ReturnType<Reply["follow"]> {
    const { following, handling } = this.#phases
    if (following.size + keptForQuestions >= this.#limits.maxConnections) {
      this.#refuse(
        connection,
        `There are ${following.size} subscribers already, as many as the daemon takes. Try again later.`,
        "refused"
      )
      return undefined
    }
    // The client may have disconnected meanwhile.
    if (!handling.delete(connection)) return undefined
    following.add(connection)
    connection.socket.resume()
    return {
      send: (line) => this.#send(connection, line),
      end: (line) => this.#end(connection, line),
      gone: Effect.async<void>((resume) => {
        connection.onGone = () => resume(Effect.void)
        if (!following.has(connection)) resume(Effect.void)
      })
    }
  }

  #send(connection: Connection, line: string): void {
    const { socket } = connection
    if (!this.#phases.following.has(connection)) return
    if (socket.writableLength > this.#limits.followerBytes) {
      this.#end(
        connection,
        notice("The daemon ended this subscription: the client did not read. Subscribe again.")
      )
      return
    }
    socket.write(line)
  }

  #end(connection: Connection, line: Line): void {
    if (!this.#phases.following.delete(connection)) return
    connection.onGone()
    this.#linger(connection, line)
  }

  #forget(connection: Connection): void {
    for (const phase of phases) this.#phases[phase].delete(connection)
    connection.onGone()
  }
}
