/** The line that `dial-stdio` writes before anything of the daemon, with its newline. */
export const dialMarker = "autopilotd dial-stdio 1\n"

/** Bytes before a line that are thrown away. */
const maxNoiseBytes = 65_536

/** The state of a search. `noise` is the first line of what came instead of the wanted one, empty when nothing came. */
type Search =
  | { readonly _tag: "Searching" }
  | { readonly _tag: "Found"; readonly rest: Uint8Array }
  | { readonly _tag: "Missing"; readonly noise: string }

const searching: Search = { _tag: "Searching" }

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** Bytes of the noise that are kept, for a message. */
const keptBytes = 500

const joined = (one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> => {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}

/** The position behind a line, whose end may be that of a terminal; undefined without one. */
const behind = (line: Uint8Array, bytes: Uint8Array): number | undefined => {
  const [first = 0] = line
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (!line.every((byte, index) => bytes[at + index] === byte)) continue
    const end = at + line.length
    const [next, afterNext] = bytes.subarray(end, end + 2)
    if (next === lineFeed) return end + 1
    if (next === carriageReturn && afterNext === lineFeed) return end + 2
  }
  return undefined
}

/**
 * Finds the line with which a program begins in what comes from a remote shell: a start-up file that prints is read before
 * the program runs, and what it prints may end without a newline. One instance reads one stream.
 */
export class LineSearch {
  readonly #line: Uint8Array
  #seenBytes = 0
  #noise = new Uint8Array(0)
  /** The last bytes, with which the line may begin. */
  #tail = new Uint8Array(0)

  constructor(line: string) {
    this.#line = new TextEncoder().encode(line.trimEnd())
  }

  /** Takes the next bytes. `rest` is what follows the line. */
  feed(chunk: Uint8Array): Search {
    const { length } = this.#line
    const bytes = joined(this.#tail, chunk)
    const at = behind(this.#line, bytes)
    const noiseBytes = this.#seenBytes - this.#tail.length + (at ?? bytes.length) - length - 1
    this.#seenBytes += chunk.length
    this.#noise = joined(this.#noise, chunk.subarray(0, keptBytes - this.#noise.length))
    this.#tail = bytes.slice(Math.max(0, bytes.length - length - 1))
    if (noiseBytes > maxNoiseBytes) return this.end()
    return at === undefined ? searching : { _tag: "Found", rest: bytes.subarray(at) }
  }

  /** Ends the input: the line is missing. */
  end(): Extract<Search, { readonly _tag: "Missing" }> {
    const text = new TextDecoder().decode(this.#noise)
    return { _tag: "Missing", noise: text.trimStart().split("\n", 1)[0]?.trimEnd() ?? "" }
  }
}
