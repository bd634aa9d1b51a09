/** The line that `dial-stdio` writes before anything of the daemon, with its newline. */
export const dialMarker = "autopilotd dial-stdio 1\n"

/** Bytes before the marker that are thrown away. */
const maxNoiseBytes = 65_536

/** The state of a search. `noise` is the first line of what came instead of the marker, empty when nothing came. */
type Search =
  | { readonly _tag: "Searching" }
  | { readonly _tag: "Found"; readonly rest: Uint8Array }
  | { readonly _tag: "Missing"; readonly noise: string }

const searching: Search = { _tag: "Searching" }

const marker = new TextEncoder().encode(dialMarker)

/** Bytes of the noise that are kept, for a message. */
const keptBytes = 500

const joined = (one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> => {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}

/** The position behind the marker; undefined without one. */
const behindMarker = (bytes: Uint8Array): number | undefined => {
  const [first = 0] = marker
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (marker.every((byte, index) => bytes[at + index] === byte)) return at + marker.length
  }
  return undefined
}

/**
 * Finds the marker in what comes from a remote shell: a start-up file that prints is read before `dial-stdio` runs, and
 * what it prints may end without a newline. One instance reads one stream.
 */
export class MarkerSearch {
  #seenBytes = 0
  #noise = new Uint8Array(0)
  /** The last bytes, with which the marker may begin. */
  #tail = new Uint8Array(0)

  /** Takes the next bytes. `rest` is what follows the marker. */
  feed(chunk: Uint8Array): Search {
    const bytes = joined(this.#tail, chunk)
    const behind = behindMarker(bytes)
    const noiseBytes = this.#seenBytes - this.#tail.length + (behind ?? bytes.length) - marker.length
    this.#seenBytes += chunk.length
    this.#noise = joined(this.#noise, chunk.subarray(0, keptBytes - this.#noise.length))
    this.#tail = bytes.slice(Math.max(0, bytes.length - marker.length + 1))
    if (noiseBytes > maxNoiseBytes) return this.end()
    return behind === undefined ? searching : { _tag: "Found", rest: bytes.subarray(behind) }
  }

  /** Ends the input: the marker is missing. */
  end(): Extract<Search, { readonly _tag: "Missing" }> {
    const text = new TextDecoder().decode(this.#noise)
    return { _tag: "Missing", noise: text.trimStart().split("\n", 1)[0]?.trimEnd() ?? "" }
  }
}
