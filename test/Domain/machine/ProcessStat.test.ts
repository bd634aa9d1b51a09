import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { residentPages, scannedProcess } from "../../../src/Domain/machine/ProcessStat.ts"
import { parseStat } from "../../../src/Layers/machine/ProcFs.ts"

const read = (text: string, pid = 7) => {
  const bytes = Buffer.from(text, "latin1")
  // What an earlier process has left behind it in the buffer must not count.
  return scannedProcess(Buffer.concat([bytes, Buffer.from(" 99 99 99)")]), bytes.length, pid, 4096)
}

const number = FastCheck.oneof(FastCheck.integer(), FastCheck.nat(), FastCheck.constantFrom(0, -1, 2 ** 40))

describe("the bytes of a process's stat", () => {
  it("say the same as its text, whatever the program calls itself", () => {
    const name = FastCheck.oneof(
      FastCheck.string({ maxLength: 15 }),
      FastCheck.constantFrom(") R 1 1 1", "a b", "", "x) (y", "\n")
    ).map((text) => Buffer.from(text, "utf8").toString("latin1"))
    const fields = FastCheck.array(number, { minLength: 40, maxLength: 49 })
    FastCheck.assert(
      FastCheck.property(name, FastCheck.constantFrom(..."RSDTZX"), fields, (comm, state, values) => {
        const text = `7 (${comm}) ${state} ${values.join(" ")}\n`
        const { isKernelThread: _, swapBytes, ...entry } = read(text) ?? assert.fail(text)
        assert.deepStrictEqual<unknown>(entry, parseStat(text))
        assert.strictEqual(swapBytes, 0)
      }),
      { numRuns: 1000 }
    )
  })

  it("tell the kernel's own threads from programs by their flags", () => {
    const stat = (flags: number) => `2 (kthreadd) S 0 0 0 0 -1 ${flags} ${"0 ".repeat(12)} 4 0 0`
    assert.isTrue(read(stat(0x00208040))?.isKernelThread)
    assert.isFalse(read(stat(0x00400100))?.isKernelThread)
    assert.isFalse(read(stat(0xffdfffff))?.isKernelThread)
    assert.isTrue(read(stat(0xffffffff))?.isKernelThread)
  })

  it("are no process when there are too few of them", () => {
    const whole = `7 (a) S 1 2 3 0 -1 0 ${"0 ".repeat(12)}4711 0 5 6\n`
    assert.strictEqual(read(whole)?.startTicks, 4711)
    for (const text of ["", "garbage", "7 (a", "7 (a)", "7 (a) S", "7 (a) S 1 2 3"]) {
      assert.isUndefined(read(text), text)
    }
  })
})

describe("the bytes of a process's statm", () => {
  const pages = (text: string) => residentPages(Buffer.from(`${text}1234 5678`), text.length)

  it("say how many pages are in memory", () => {
    assert.strictEqual(pages("2561 1032 900 3 0 600 0\n"), 1032)
    assert.strictEqual(pages("0 0 0 0 0 0 0\n"), 0)
  })

  it("say none when they are cut off", () => {
    assert.strictEqual(pages("2561"), 0)
    assert.strictEqual(pages(""), 0)
  })
})
