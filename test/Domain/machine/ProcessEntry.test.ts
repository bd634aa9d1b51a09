import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  isStill,
  parseStat,
  programIn,
  residentPages,
  threadCount
} from "../../../src/Domain/machine/ProcessEntry.ts"

const read = (text: string, pid = 7) => {
  const bytes = Buffer.from(text, "latin1")
  // Remains of an earlier file in the buffer must not count.
  return parseStat(Buffer.concat([bytes, Buffer.from(" 99 99 99)")]), bytes.length, pid, 4096)
}

const number = FastCheck.oneof(FastCheck.integer(), FastCheck.nat(), FastCheck.constantFrom(0, -1, 2 ** 40))

describe("a process's stat", () => {
  it("is parsed by its field numbers, whatever the program calls itself", () => {
    const name = FastCheck.oneof(
      FastCheck.string({ maxLength: 15 }),
      FastCheck.constantFrom(") R 1 1 1", "a b", "", "x) (y", "\n")
    ).map((text) => Buffer.from(text, "utf8").toString("latin1"))
    const fields = FastCheck.array(number, { minLength: 40, maxLength: 49 })
    FastCheck.assert(
      FastCheck.property(name, FastCheck.constantFrom(..."RSDTZX"), fields, (comm, state, values) => {
        /** The numbers of proc_pid_stat(5), where pid is the first field and the parent's the fourth. */
        const field = (position: number) => values[position - 4] ?? 0
        const { isKernelThread: _, ...entry } = read(`7 (${comm}) ${state} ${values.join(" ")}\n`) ?? {}
        assert.deepStrictEqual<unknown>(entry, {
          pid: 7,
          startTicks: field(22),
          parentPid: field(4),
          group: field(5),
          session: field(6),
          state,
          cpuMs: (field(14) + field(15)) * 10,
          residentBytes: field(24) * 4096,
          swapBytes: 0
        })
      }),
      { numRuns: 1000 }
    )
  })

  it("distinguishes kernel threads from programs by their flags", () => {
    const stat = (flags: number) => `2 (kthreadd) S 0 0 0 0 -1 ${flags} ${"0 ".repeat(12)} 4 0 0`
    assert.isTrue(read(stat(0x00208040))?.isKernelThread)
    assert.isFalse(read(stat(0x00400100))?.isKernelThread)
    assert.isFalse(read(stat(0xffdfffff))?.isKernelThread)
    assert.isTrue(read(stat(0xffffffff))?.isKernelThread)
  })

  it("contains the number of its threads, whatever the program calls itself", () => {
    const bytes = Buffer.from(`7 (a) Z (b) Z 1 2 3 ${"9 ".repeat(13)}2 0 4711 0 0 0\n`, "latin1")
    assert.strictEqual(threadCount(bytes, bytes.length), 2)
  })

  it("tells one program from the next, and none while exec sets it up", () => {
    const stat = (endCode: number, startStack: number) =>
      `7 (a) Z (b) S 1 2 3 ${"9 ".repeat(19)}4096 ${endCode} ${startStack} 0 0 0\n`
    assert.strictEqual(programIn(stat(8192, 65536)), programIn(stat(8192, 65536)))
    assert.notStrictEqual(programIn(stat(8192, 65536)), programIn(stat(8192, 131072)))
    assert.isUndefined(programIn(stat(0, 65536)))
    assert.isUndefined(programIn(""))
  })

  it("is no process when it is cut off", () => {
    const whole = `7 (a) S 1 2 3 0 -1 0 ${"0 ".repeat(12)}4711 0 5 6\n`
    assert.strictEqual(read(whole)?.startTicks, 4711)
    for (const text of ["", "garbage", "7 (a", "7 (a)", "7 (a) S", "7 (a) S 1 2 3"]) {
      assert.isUndefined(read(text), text)
    }
  })
})

describe("a process", () => {
  const now = (start: number, state: string) => read(`7 (a) ${state} ${"0 ".repeat(18)}${start} 0 5 6\n`)

  it("is another one when its pid has another start time, and gone as a zombie", () => {
    assert.isTrue(isStill({ startTicks: 5 }, now(5, "S")))
    assert.isFalse(isStill({ startTicks: 5 }, now(6, "S")))
    assert.isFalse(isStill({ startTicks: 5 }, now(5, "Z")))
    assert.isFalse(isStill({ startTicks: 5 }, undefined))
  })
})

describe("a process's statm", () => {
  const pages = (text: string) => residentPages(Buffer.from(`${text}1234 5678`), text.length)

  it("contains the resident pages", () => {
    assert.strictEqual(pages("2561 1032 900 3 0 600 0\n"), 1032)
    assert.strictEqual(pages("0 0 0 0 0 0 0\n"), 0)
  })

  it("has none when it is cut off", () => {
    assert.strictEqual(pages("2561"), 0)
    assert.strictEqual(pages(""), 0)
  })
})
