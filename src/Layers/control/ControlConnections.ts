import type * as Net from "node:net"
import * as Effect from "effect/Effect"
import { ControlFraming } from "../../Domain/control/ControlFraming.ts"
import { encodeResponse } from "../../Domain/control/ControlWire.ts"
import { subscriptionLine } from "../../Domain/control/Subscription.ts"
import type { Follower } from "./ControlHandler.ts"

/** What strangers on the control socket may cost. */
export interface ConnectionLimits {
  /** Milliseconds from connecting until the request must be complete. */
  readonly requestMs: number
  /** Open connections. One more, and the one that has waited longest for its own request has to go. */
  readonly maxConnections: number
  /** Milliseconds after the answer until the connection is closed, whatever the client does. */
  readonly lingerMs: number
  /** Bytes thrown away after the answer, so that a client that still sends gets to reading it. */
  readonly lingerBytes: number
  /** Bytes that may wait for a client which follows: more, and it is cut off. */
  readonly followerBytes: number
}

/** What can be done for a client that has asked. */
interface Reply {
  /** Answers with a whole line, once; later calls do nothing. */
  readonly reply: (line: string) => void
  /** Makes the client one that stays. Undefined, and it is refused, when too many do. */
  readonly follow: () => (Follower & { readonly end: (line: string) => void }) | undefined
}

/** Gets the text of one JSON object. */
export type Respond = (text: string, answer: Reply) => void

type Phase = "reading" | "handling" | "following" | "closing"

/** Connections that are kept for those who ask, however many follow. */
const keptForQuestions = 32

interface Connection {
  readonly socket: Net.Socket
  readonly framing: ControlFraming
  timer: NodeJS.Timeout | undefined
  discardedBytes: number
  /** Called when a client that follows is gone or was cut off. */
  onGone: () => void
}

/** The answer to what is no request that could be carried out. */
export const refusal = (message: string): string => encodeResponse({ success: false, message })

/** The last line for a client that follows. */
const notice = (message: string): string => subscriptionLine({ type: "notice", message })

const example = 'Send one JSON object, such as {"type":"Status"}.'

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`

const firstOf = <A>(set: ReadonlySet<A>): A | undefined => set.values().next().value

/**
 * The open connections of the control socket. Each brings one request and gets one answer, in one write; then it is
 * closed, but for those who follow what happens. This works on node's callbacks: a fiber for each of a thousand silent strangers would cost more than
 * they are worth.
 */
export class ControlConnections {
  readonly #limits: ConnectionLimits
  readonly #respond: Respond
  /** Every open connection is in one of these, the oldest first. */
  readonly #phases: Readonly<Record<Phase, Set<Connection>>> = {
    reading: new Set(),
    handling: new Set(),
    following: new Set(),
    closing: new Set()
  }

  constructor(limits: ConnectionLimits, respond: Respond) {
    this.#limits = limits
    this.#respond = respond
  }

  get count(): number {
    return Object.values(this.#phases).reduce((sum, { size }) => sum + size, 0)
  }

  accept(socket: Net.Socket): void {
    const connection: Connection = {
      socket,
      framing: new ControlFraming(),
      timer: undefined,
      discardedBytes: 0,
      onGone: () => {}
    }
    // A client that goes away is no error of ours; "close" follows and is all that has to be known.
    socket.on("error", () => undefined)
    socket.on("close", () => this.#forget(connection))
    const hasRoom = this.count < this.#limits.maxConnections || this.makeRoom()
    this.#phases.reading.add(connection)
    if (!hasRoom) {
      this.#refuse(connection, "Too many requests are being worked on. Try again in a moment.")
      this.#close(connection)
      return
    }
    const { requestMs } = this.#limits
    const late = (): void => {
      if (!this.#phases.reading.has(connection)) return
      this.#refuse(connection, `No complete request came within ${seconds(requestMs)}. ${example}`)
    }
    // After a stop of the whole process timers come first: what was sent meanwhile is read before it is called late.
    connection.timer = setTimeout(() => setImmediate(late), requestMs)
    socket.on("data", (chunk) => this.#read(connection, chunk))
    socket.on("end", () => this.#ended(connection))
  }

  /**
   * Closes the connection that can best be spared: one that has its answer, else the one that has waited longest for
   * its request. Says whether there was one.
   */
  makeRoom(): boolean {
    const waiting = firstOf(this.#phases.reading)
    if (this.#phases.closing.size === 0 && waiting !== undefined) {
      this.#refuse(waiting, "Too many connections are open, and this one has waited longest for its request.")
    }
    const answered = firstOf(this.#phases.closing)
    if (answered !== undefined) this.#close(answered)
    return answered !== undefined
  }

  /** Refuses what has no answer yet, and closes all. */
  closeAll(): void {
    for (const connection of [...this.#phases.reading, ...this.#phases.handling]) {
      this.#refuse(connection, "The daemon is closing its control socket.")
    }
    for (const connection of this.#phases.following) {
      this.#end(connection, notice("The daemon is closing its control socket."))
    }
    for (const connection of this.#phases.closing) this.#close(connection)
  }

  /** Frees the descriptor now. The answer is not lost: one so short went to the kernel when it was written. */
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
    if (this.#phases.reading.has(connection)) this.#look(connection, connection.framing.feed(chunk))
  }

  #ended(connection: Connection): void {
    if (this.#phases.reading.has(connection)) this.#look(connection, connection.framing.end())
  }

  #look(connection: Connection, framing: ReturnType<ControlFraming["feed"]>): void {
    switch (framing._tag) {
      case "Incomplete":
        return
      case "Refused":
        return this.#refuse(connection, `The request ${framing.reason}. ${example}`)
      case "Complete": {
        clearTimeout(connection.timer)
        this.#phases.reading.delete(connection)
        this.#phases.handling.add(connection)
        // Nothing more is wanted; what is sent nevertheless waits in the kernel until there is an answer.
        connection.socket.pause()
        return this.#respond(framing.text, {
          reply: (line) => this.#reply(connection, line),
          follow: () => this.#follow(connection)
        })
      }
    }
  }

  #refuse(connection: Connection, message: string): void {
    this.#reply(connection, refusal(message))
  }

  /**
   * Answers, unless the client has gone or has its answer. The connection then lingers until the client closes it:
   * closing with unread input would make the client's next write fail before it has read the answer.
   */
  #reply(connection: Connection, line: string): void {
    const { reading, handling } = this.#phases
    if (reading.delete(connection) || handling.delete(connection)) this.#linger(connection, line)
  }

  #linger(connection: Connection, line: string): void {
    const { socket } = connection
    clearTimeout(connection.timer)
    this.#phases.closing.add(connection)
    connection.timer = setTimeout(() => socket.destroy(), this.#limits.lingerMs)
    socket.end(line)
    socket.resume()
  }

  #follow(connection: Connection): ReturnType<Reply["follow"]> {
    const { following, handling } = this.#phases
    if (following.size + keptForQuestions >= this.#limits.maxConnections) {
      this.#refuse(connection, `${following.size} clients follow already, and no more can. Try again later.`)
      return undefined
    }
    // It may have gone while it was decided what to do with it.
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
        notice("You were cut off, because you did not read what was sent. Subscribe again.")
      )
      return
    }
    socket.write(line)
  }

  #end(connection: Connection, line: string): void {
    if (!this.#phases.following.delete(connection)) return
    connection.onGone()
    this.#linger(connection, line)
  }

  #forget(connection: Connection): void {
    clearTimeout(connection.timer)
    for (const phase of Object.values(this.#phases)) phase.delete(connection)
    connection.onGone()
  }
}
