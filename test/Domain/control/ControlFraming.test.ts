import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { ControlFraming, type Framing, requestLimits } from "../../../src/Domain/control/ControlFraming.ts"
import { runs } from "../../fixtures/runs.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]))

const mark = Uint8Array.of(0xef, 0xbb, 0xbf)

const complete = (text: string): Framing => ({ _tag: "Complete", text })
const refused = (reason: string): Framing => ({ _tag: "Refused", reason })

const scan = (input: string | Uint8Array): Framing =>
  new ControlFraming().feed(typeof input === "string" ? bytesOf(input) : input)

/** Cuts the input at the given positions and feeds piece after piece. */
const scanInPieces = (input: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Framing> => {
  const framing = new ControlFraming()
  const positions = [
    0,
    ...cuts.map((cut) => cut % (input.length + 1)).toSorted((a, b) => a - b),
    input.length
  ]
  return positions
    .slice(1)
    .map((end, index) => framing.feed(input.subarray(positions[index] ?? 0, end)))
    .concat(framing.end())
}

const wellFormed: ReadonlyArray<readonly [name: string, input: string | Uint8Array, text: string]> = [
  ["a bare request", '{"type":"Status"}', '{"type":"Status"}'],
  ["a newline after it", '{"type":"Status"}\n', '{"type":"Status"}'],
  ["a carriage return and a newline after it", '{"type":"Status"}\r\n', '{"type":"Status"}'],
  ["white space before and inside it", ' \t\r\n{ "type" : "Status" }', '{ "type" : "Status" }'],
  ["a byte order mark before it", concat([mark, bytesOf('{"type":"Status"}')]), '{"type":"Status"}'],
  ["a NUL after it", '{"type":"Status"}\0', '{"type":"Status"}'],
  ["a second request after it", '{"type":"Status"}{"type":"Shutdown"}', '{"type":"Status"}'],
  ["braces and brackets in strings", '{"a":"}{]["}', '{"a":"}{]["}'],
  ["escaped quotes and backslashes in strings", '{"a":"\\"}\\\\"}', '{"a":"\\"}\\\\"}'],
  ["objects and lists in it", '{"a":[{"b":[]},{}]} ', '{"a":[{"b":[]},{}]}'],
  ["letters of several bytes", '{"a":"日本 😀"}', '{"a":"日本 😀"}'],
  ["invalid UTF-8 after it", concat([bytesOf("{}"), Uint8Array.of(0xff)]), "{}"]
]

const malformed: ReadonlyArray<readonly [name: string, input: string | Uint8Array, reason: string]> = [
  ["a list", '["Status"]', "begins with '[', but must be one JSON object"],
  ["a string", '"Status"', "begins with '\"', but must be one JSON object"],
  ["a word", "Status", "begins with 'S', but must be one JSON object"],
  ["a NUL at the start", "\0", "begins with the byte 0x00, but must be one JSON object"],
  [
    "half a byte order mark",
    Uint8Array.of(0xef, 0xbb, 0x7b),
    "begins with a broken byte order mark, but must be one JSON object"
  ],
  ["two byte order marks", concat([mark, mark]), "begins with the byte 0xef, but must be one JSON object"],
  [
    "a byte order mark after a blank",
    concat([bytesOf(" "), mark]),
    "begins with the byte 0xef, but must be one JSON object"
  ],
  ["a bracket closed by a brace", '{"a":[}', "has a '}' that closes nothing"],
  [
    "a line break inside a string",
    '{"type":"Status\n',
    "has the byte 0x0a inside a string, where JSON wants it escaped"
  ],
  [
    "a control character between tokens",
    '{"type"\x01',
    "has the byte 0x01 outside of a string, which JSON does not allow"
  ],
  [
    "a letter of several bytes between tokens",
    "{é",
    "has the byte 0xc3 outside of a string, which JSON does not allow"
  ],
  [
    "invalid UTF-8 in a string",
    concat([bytesOf('{"a":"'), Uint8Array.of(0xff), bytesOf('"}')]),
    "is not valid UTF-8"
  ]
]

const nested = (levels: number): string => `{"a":${"[".repeat(levels - 1)}`

const sized = (bytes: number): string => `  {"a":"${"x".repeat(bytes - 10)}"}`

describe("ControlFraming", () => {
  for (const [name, input, text] of wellFormed) {
    it(`finds the request in ${name}`, () => {
      assert.deepStrictEqual(scan(input), complete(text))
    })
  }

  for (const [name, input, reason] of malformed) {
    it(`refuses ${name} at once`, () => {
      assert.deepStrictEqual(scan(input), refused(reason))
    })
  }

  it("waits for the rest of what may still become a request", () => {
    for (const input of [
      "",
      " ",
      "\n",
      "{",
      '{"type":"Sta',
      '{"type":"Status"',
      '{"a":"}',
      '{"a":"\\"}',
      '{"a":[{}'
    ]) {
      assert.strictEqual(scan(input)._tag, "Incomplete", input)
    }
  })

  it("says what was missing when the sender has closed its side", () => {
    for (const [input, reason] of [
      ["", "is empty"],
      ["\r\n ", "is empty"],
      ['{"type":', "ended before it was complete"]
    ] as const) {
      const framing = new ControlFraming()
      framing.feed(bytesOf(input))
      assert.deepStrictEqual(framing.end(), refused(reason))
    }
  })

  it("takes an object nested 64 levels deep and refuses the 65th at the very byte", () => {
    assert.deepStrictEqual(scan(nested(64))._tag, "Incomplete")
    assert.deepStrictEqual(scan(`${nested(64)}${"]".repeat(63)}}`)._tag, "Complete")
    assert.deepStrictEqual(scan(nested(65)), refused("is nested deeper than 64 levels"))
  })

  it("takes 64 KiB, leading blanks included, and refuses one byte more", () => {
    const { maxBytes } = requestLimits
    assert.strictEqual(bytesOf(sized(maxBytes)).length, maxBytes)
    assert.strictEqual(scan(sized(maxBytes))._tag, "Complete")
    assert.deepStrictEqual(scan(sized(maxBytes + 1)), refused("is longer than 65536 bytes"))
    assert.deepStrictEqual(scan(" ".repeat(maxBytes + 1)), refused("is longer than 65536 bytes"))
  })

  it("does not count what follows the object", () => {
    assert.deepStrictEqual(scan(`{}${" ".repeat(100_000)}`), complete("{}"))
  })

  it("stays with its answer whatever comes after", () => {
    const framing = new ControlFraming()
    framing.feed(bytesOf("{}"))
    assert.deepStrictEqual(framing.feed(bytesOf("[")), complete("{}"))
    assert.deepStrictEqual(framing.end(), complete("{}"))
  })

  it("finds a request that comes byte by byte at its last byte, not before", () => {
    const bytes = concat([mark, bytesOf(' {"project":"日本","type":"Status"}')])
    const framing = new ControlFraming()
    const outcomes = [...bytes].map((byte) => framing.feed(Uint8Array.of(byte)))
    assert.deepStrictEqual(
      outcomes.slice(0, -1).filter((outcome) => outcome._tag !== "Incomplete"),
      []
    )
    assert.deepStrictEqual(outcomes.at(-1), complete('{"project":"日本","type":"Status"}'))
  })

  const someJson = FastCheck.json().map((json) => bytesOf(`{"a":${json}}`))
  const almostJson = FastCheck.stringOf(FastCheck.constantFrom(...'{}[]"\\:,a1 \n\u00e9'), {
    maxLength: 60
  }).map((text) => bytesOf(`{${text}`))
  const anyBytes = FastCheck.uint8Array({ maxLength: 200 })
  const markedBytes = FastCheck.tuple(FastCheck.subarray([...mark]), anyBytes).map(([marks, rest]) =>
    Uint8Array.from([...marks, ...rest])
  )
  const inputs = FastCheck.oneof(someJson, almostJson, anyBytes, markedBytes)

  it("gives the same answer however the input is cut", () => {
    FastCheck.assert(
      FastCheck.property(inputs, FastCheck.array(FastCheck.nat(), { maxLength: 20 }), (input, cuts) => {
        assert.deepStrictEqual(scanInPieces(input, cuts).at(-1), scanInPieces(input, []).at(-1))
      }),
      { numRuns: runs(500) }
    )
  })

  it("finds every JSON object, and the text it hands on is what was sent", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.json({ maxDepth: 20 }), (json) => {
        const text = `{"a":${json}}`
        assert.deepStrictEqual(scan(`${text} trailing`), complete(text))
      })
    )
  })

  it("never refuses a prefix of what it accepts whole", () => {
    FastCheck.assert(
      FastCheck.property(almostJson, FastCheck.nat(), (input, cut) => {
        const whole = scan(input)
        if (whole._tag !== "Complete") return
        const length = cut % bytesOf(whole.text).length
        assert.strictEqual(scan(input.subarray(0, length))._tag, "Incomplete")
      }),
      { numRuns: runs(300) }
    )
  })
})
