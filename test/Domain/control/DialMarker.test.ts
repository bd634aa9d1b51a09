import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { dialMarker, LineSearch } from "../../../src/Domain/control/DialMarker.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Feeds pieces, and then the end; a string is what follows the marker. */
const found = (pieces: ReadonlyArray<Uint8Array>): string | { readonly noise: string } => {
  const search = new LineSearch(dialMarker)
  for (const [index, piece] of pieces.entries()) {
    const state = search.feed(piece)
    if (state._tag === "Missing") return { noise: state.noise }
    if (state._tag === "Found") {
      const rest = [state.rest, ...pieces.slice(index + 1)].map((one) => new TextDecoder().decode(one))
      return rest.join("")
    }
  }
  return { noise: search.end().noise }
}

const cut = (text: Uint8Array, length: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(text.length / length) }, (_, at) =>
    text.subarray(at * length, (at + 1) * length)
  )

describe("the marker of a stream", () => {
  it("is found behind whatever a start-up file prints, however the bytes are cut", () => {
    const noises = [
      "",
      "Welcome to box!\n",
      "no newline",
      "auto",
      "autopilotd dial-stdio ",
      "autopilotd dial-stdio 11",
      `${"x".repeat(60_000)}\n`
    ]
    for (const noise of noises) {
      for (const length of [1, 7, 4096, 100_000])
        assert.strictEqual(found(cut(bytes(`${noise}${dialMarker}{"a":1}\n`), length)), '{"a":1}\n')
    }
  })

  it("is found where a terminal ends its lines with a carriage return", () => {
    const ended = `Welcome!\r\n${dialMarker.trimEnd()}\r\n{}`
    for (const length of [1, 7, 4096]) assert.strictEqual(found(cut(bytes(ended), length)), "{}")
  })

  it("is found in any noise of at most 64 KiB", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.uint8Array({ maxLength: 200 }),
        FastCheck.integer({ min: 1, max: 300 }),
        (noise, length) => {
          const whole = new Uint8Array([...noise, ...bytes(dialMarker), 0x7b])
          assert.strictEqual(found(cut(whole, length)), "{")
        }
      )
    )
  })

  it("is missing when the stream ends, or 64 KiB have come: the first line of them is told", () => {
    assert.deepStrictEqual(found([]), { noise: "" })
    assert.deepStrictEqual(found([bytes("\n\r\n")]), { noise: "" })
    assert.deepStrictEqual(found([bytes("\nThis account is closed.\r\nGood bye.\n")]), {
      noise: "This account is closed."
    })
    assert.deepStrictEqual(found([bytes(dialMarker.slice(0, -1))]), { noise: dialMarker.trimEnd() })
    const flood = bytes(`Motd\n${"y".repeat(65_536)}`)
    for (const length of [10, 5000, 100_000]) {
      assert.deepStrictEqual(found([...cut(flood, length), bytes(dialMarker)]), { noise: "Motd" })
    }
    assert.isAtMost(String(Object(found([bytes("z".repeat(70_000))])).noise).length, 500)
  })
})
