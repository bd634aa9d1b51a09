import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import { linesPerWindow } from "../../../src/Domain/logs/JournalAllowance.ts"
import { unnamed } from "../../../src/Domain/Project.ts"
import * as WorkerEcho from "../../../src/Layers/logs/WorkerEcho.ts"
import { type OutputKind, OwnOutput, type OwnStream } from "../../../src/Layers/output/OwnOutput.ts"

/** Shows the bytes on an output of this kind, and returns what arrives there. */
const shownOn = (kind: OutputKind, bytes: Buffer | string, raw = false): string => {
  const written: Array<string> = []
  const stream: OwnStream = {
    kind,
    isOpen: () => true,
    roomBytes: () => 2 ** 20,
    write: (lines) => void written.push(lines.toString()),
    leaveOut: (lines) => void written.push(`${lines} left out\n`)
  }
  const own = Layer.succeed(OwnOutput, { out: stream, err: stream, log: () => undefined })
  Effect.runSync(
    Effect.gen(function* () {
      const { show } = yield* WorkerEcho.WorkerEcho
      show(unnamed, "out", Buffer.from(bytes), { journal: true })
    }).pipe(Effect.provide(Layer.provide(WorkerEcho.layer({ raw }), own)))
  )
  return written.join("")
}

const kinds: ReadonlyArray<OutputKind> = ["terminal", "journal", "other"]

const attacks = FastCheck.constantFrom(
  "\0<3>forged",
  "\u001b]52;c;cm0gLXJmIC8=\u0007",
  "\u001b[2J\u001b[?1049h",
  "a\rautopilotd| b",
  "\u009b2J\u202e",
  '{"type":"assistant","session_id":"s","message":{"content":[{"type":"text","text":"\\u001b[2J"}]}}'
)
const bytes = FastCheck.array(
  FastCheck.oneof(
    FastCheck.string({ unit: "binary" }).map((text) => Buffer.from(text)),
    FastCheck.uint8Array().map((some) => Buffer.from(some)),
    attacks.map((text) => Buffer.from(text)),
    FastCheck.constant(Buffer.from("\n"))
  )
).map((parts) => Buffer.concat([...parts, Buffer.from("\n")]))

describe("a worker's line on the daemon's own output", () => {
  it("cannot control a terminal, and is one entry of the journal for each of its lines", () => {
    FastCheck.assert(
      FastCheck.property(bytes, FastCheck.constantFrom(...kinds), (some, kind) => {
        const shown = shownOn(kind, some)
        const own = kind === "terminal" ? shown.replaceAll(/\p{Cc}\[[0-9;]*m/gu, "") : shown
        assert.notMatch(own.replaceAll(/[\n\t]/g, ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        for (const line of shown.split("\n").slice(0, -1))
          assert.isTrue(line.startsWith(kind === "journal" ? "<6>default| " : "default| "), line)
        const lines = some.filter((byte) => byte === 10).length
        if (kind !== "terminal") assert.strictEqual(shown.split("\n").length - 1, lines)
      })
    )
  })

  it("has what it can show of text in any language, and its bytes with --raw", () => {
    for (const kind of kinds)
      assert.include(shownOn(kind, "Größe 大小 😀\tok\n"), "default| Größe 大小 😀\tok\n")
    const line = "\u001b[31mred\u001b[2J\0\n"
    for (const kind of ["terminal", "other"] as const)
      assert.strictEqual(shownOn(kind, line, true), `default| ${line}`)
    assert.strictEqual(shownOn("journal", line, true), "<6>default| red\\x1b[2J\\x00\n")
    assert.strictEqual(shownOn("other", line), "default| red\\x1b[2J\\x00\n")
  })

  it("counts as one of the lines that the journal takes, however many NULs are in it", () => {
    const shown = shownOn("journal", "\0<3>x\n".repeat(linesPerWindow + 5))
    assert.strictEqual(shown.split("\n").length - 1, linesPerWindow)
    assert.notInclude(shown, "\0")
  })
})
