import type * as Net from "node:net"
import { ControlFraming } from "../Domain/ControlFraming.ts"
import { encodeResponse } from "../Domain/ControlWire.ts"

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
}

/** Gets the text of one JSON object and calls `reply` once, with a whole line; later calls do nothing. */
export type Respond = (text: string, reply: (line: string) => void) => void

type Phase = "reading" | "handling" | "closing"

interface Connection {
  readonly socket: Net.Socket
  readonly framing: ControlFraming
  timer: NodeJS.Timeout | undefined
  discardedBytes: number
}

/** The answer to what is no request that could be carried out. */
export const refusal = (message: string): string => encodeResponse({ success: false, message })

const example = 'Send one JSON object, such as {"type":"Status"}.'

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`

const firstOf = <A>(set: ReadonlySet<A>): A | undefined => set.values().next().value

/**
 * The open connections of the control socket. Each brings one request and gets one answer, in one write; then it is
 * closed. This works on node's callbacks: a fiber for each of a thousand silent strangers would cost more than
 * they are worth.
 */
export class ControlConnections {
  readonly #limits: ConnectionLimits
  readonly #respond: Respond
  /** Every open connection is in one of these, the oldest first. */
  readonly #phases: Readonly<Record<Phase, Set<Connection>>> = {
    reading: new Set(),
    handling: new Set(),
    closing: new Set()
  }

  constructor(limits: ConnectionLimits, respond: Respond) {
    this.#limits = limits
    this.#respond = respond
  }

  get count(): number {
    return this.#phases.reading.size + this.#phases.handling.size + this.#phases.closing.size
  }

  accept(socket: Net.Socket): void {
    const connection: Connection = {
      socket,
      framing: new ControlFraming(),
      timer: undefined,
      discardedBytes: 0
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
    for (const connection of this.#phases.closing) this.#close(connection)
  }

  /** Frees the descriptor now. The answer is not lost: one so short went to the kernel when it was written. */
  #close(connection: Connection): void {
    connection.socket.destroy()
    this.#forget(connection)
  }

  #read(connection: Connection, chunk: Buffer): void {
    if (this.#phases.closing.has(connection)) {
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
        return this.#respond(framing.text, (line) => this.#reply(connection, line))
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
    const { socket } = connection
    const { reading, handling, closing } = this.#phases
    if (!reading.delete(connection) && !handling.delete(connection)) return
    clearTimeout(connection.timer)
    closing.add(connection)
    connection.timer = setTimeout(() => socket.destroy(), this.#limits.lingerMs)
    socket.end(line)
    socket.resume()
  }

  #forget(connection: Connection): void {
    clearTimeout(connection.timer)
    for (const phase of Object.values(this.#phases)) phase.delete(connection)
  }
}
