/** Bounds one message on the control socket. */
interface FramingLimits {
  /** Bytes up to the end of the object, leading white space included. */
  readonly maxBytes: number
  /** How deep objects and arrays may be nested. */
  readonly maxDepth: number
}

/** A command has about a hundred bytes. The longest request is a settings file: one with a hundred projects fits. */
export const requestLimits: FramingLimits = { maxBytes: 65_536, maxDepth: 64 }

/**
 * The state of a message. `reason` continues a sentence that begins with `The request` or `The answer`, and quotes at
 * most one character of the input.
 */
export type Framing =
  | { readonly _tag: "Incomplete" }
  | { readonly _tag: "Complete"; readonly text: string }
  | { readonly _tag: "Refused"; readonly reason: string }

/** The advice after a request that could not be read. */
export const requestAdvice = 'Send one JSON object, such as {"type":"Status"}.'

/** The message of the answer to a request that is refused while it is read. */
export const unreadableRequest = (reason: string): string => `The request ${reason}. ${requestAdvice}`

const incomplete: Framing = { _tag: "Incomplete" }

const noBytes = new Uint8Array(0)
const utf8 = new TextDecoder("utf-8", { fatal: true })

const Tab = 0x09
const LineFeed = 0x0a
const CarriageReturn = 0x0d
const Space = 0x20
const Quote = 0x22
const Backslash = 0x5c
const OpenBracket = 0x5b
const CloseBracket = 0x5d
const OpenBrace = 0x7b
const CloseBrace = 0x7d
const Delete = 0x7f

const byteOrderMark: ReadonlyArray<number> = [0xef, 0xbb, 0xbf]

const isBlank = (byte: number): boolean =>
  byte === Space || byte === LineFeed || byte === CarriageReturn || byte === Tab

const shown = (byte: number): string =>
  byte > Space && byte < Delete
    ? `'${String.fromCharCode(byte)}'`
    : `the byte 0x${byte.toString(16).padStart(2, "0")}`

/**
 * Finds the end of one JSON object in bytes that arrive in pieces, so that a request is answered as soon as it is
 * complete, whether or not its sender writes a newline or half-closes. One pass over the bytes, however they are cut.
 * The grammar is left to the parser; input that can no longer become an object is refused at once. One byte order mark
 * before the object is skipped, because editors and some shells write it; bytes after the object are ignored.
 *
 * One instance reads one message.
 */
export class ControlFraming {
  readonly #limits: FramingLimits
  #outcome: Framing = incomplete
  #seenBytes = 0
  #markBytes = 0
  /** The object's bytes so far, in the first `#keptBytes` of a buffer that doubles when it is full. */
  #kept: Uint8Array = noBytes
  #keptBytes = 0
  /** The bytes that close what is open, outermost first. */
  readonly #closers: Array<number> = []
  #isInString = false
  #isEscaped = false

  constructor(limits: FramingLimits = requestLimits) {
    this.#limits = limits
  }

  /** Takes the next bytes and returns the state, which is final once complete or refused. */
  feed(chunk: Uint8Array): Framing {
    if (this.#outcome._tag !== "Incomplete") return this.#outcome
    let start = this.#closers.length > 0 ? 0 : -1
    let position = 0
    for (const byte of chunk) {
      this.#seenBytes++
      if (this.#seenBytes > this.#limits.maxBytes) {
        return this.#refuse(`is longer than ${this.#limits.maxBytes} bytes`)
      }
      const wasOutside = this.#closers.length === 0
      const refusal = wasOutside ? this.#before(byte) : this.#inside(byte)
      if (refusal !== undefined) return this.#refuse(refusal)
      const isOutside = this.#closers.length === 0
      if (wasOutside && !isOutside) start = position
      position++
      if (!wasOutside && isOutside) {
        return this.#complete(chunk.subarray(start, position))
      }
    }
    if (start >= 0) this.#keep(chunk.subarray(start))
    return this.#outcome
  }

  /** Ends the input: an incomplete message is refused. */
  end(): Framing {
    if (this.#outcome._tag !== "Incomplete") return this.#outcome
    return this.#refuse(this.#closers.length === 0 ? "is empty" : "ended before it was complete")
  }

  /** Before the object only white space and one byte order mark are allowed. */
  #before(byte: number): string | undefined {
    if (this.#seenBytes === this.#markBytes + 1 && byte === byteOrderMark[this.#markBytes]) {
      this.#markBytes++
      return undefined
    }
    if (this.#markBytes > 0 && this.#markBytes < byteOrderMark.length) {
      return "begins with a broken byte order mark, but must be one JSON object"
    }
    if (isBlank(byte)) return undefined
    if (byte !== OpenBrace) return `begins with ${shown(byte)}, but must be one JSON object`
    this.#closers.push(CloseBrace)
    return undefined
  }

  #inside(byte: number): string | undefined {
    if (this.#isInString) return this.#insideString(byte)
    switch (byte) {
      case Quote:
        this.#isInString = true
        return undefined
      case OpenBrace:
      case OpenBracket:
        if (this.#closers.length === this.#limits.maxDepth) {
          return `is nested deeper than ${this.#limits.maxDepth} levels`
        }
        this.#closers.push(byte === OpenBrace ? CloseBrace : CloseBracket)
        return undefined
      case CloseBrace:
      case CloseBracket:
        return this.#closers.pop() === byte ? undefined : `has a ${shown(byte)} that closes nothing`
      default:
        return isBlank(byte) || (byte > Space && byte < Delete)
          ? undefined
          : `has ${shown(byte)} outside of a string, which JSON does not allow`
    }
  }

  #insideString(byte: number): string | undefined {
    if (byte < Space) return `has ${shown(byte)} inside a string, where JSON wants it escaped`
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === Backslash) this.#isEscaped = true
    else if (byte === Quote) this.#isInString = false
    return undefined
  }

  #keep(bytes: Uint8Array): void {
    const neededBytes = this.#keptBytes + bytes.length
    if (neededBytes > this.#kept.length) {
      const larger = new Uint8Array(Math.max(neededBytes, 2 * this.#kept.length))
      larger.set(this.#kept.subarray(0, this.#keptBytes))
      this.#kept = larger
    }
    this.#kept.set(bytes, this.#keptBytes)
    this.#keptBytes = neededBytes
  }

  #complete(last: Uint8Array): Framing {
    if (this.#keptBytes > 0) this.#keep(last)
    const bytes = this.#keptBytes > 0 ? this.#kept.subarray(0, this.#keptBytes) : last
    try {
      return this.#settle({ _tag: "Complete", text: utf8.decode(bytes) })
    } catch {
      // A fatal TextDecoder throws only for invalid UTF-8.
      return this.#refuse("is not valid UTF-8")
    }
  }

  #refuse(reason: string): Framing {
    return this.#settle({ _tag: "Refused", reason })
  }

  /** Releases the bytes, because a connection may linger after its message. */
  #settle(outcome: Framing): Framing {
    this.#kept = noBytes
    this.#keptBytes = 0
    this.#outcome = outcome
    return outcome
  }
}
