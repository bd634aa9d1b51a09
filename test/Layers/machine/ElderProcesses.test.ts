import { assert, describe, it } from "@effect/vitest"
import type { ProcessEntry } from "../../../src/Domain/machine/ProcessEntry.ts"
import { pidsLastNanos, readingEldersOnce } from "../../../src/Layers/machine/ElderProcesses.ts"

const selfPid = 100

/** Pretended processes, each with its start and the directory that /proc has for it. */
const pretended = (processes: Map<number, { startTicks: number; ino: number }>, trustedNanos = 0n) => {
  const asked: Array<number> = []
  const folders: Array<number> = []
  const entry = (pid: number): ProcessEntry | undefined => {
    const found = processes.get(pid)
    asked.push(pid)
    return found === undefined
      ? undefined
      : {
          pid,
          startTicks: found.startTicks,
          state: "S",
          parentPid: 1,
          group: pid,
          session: pid,
          residentBytes: 0,
          isKernelThread: false,
          cpuMs: 0,
          swapBytes: 0
        }
  }
  const folder = (pid: number) => {
    const found = processes.get(pid)
    folders.push(pid)
    return found === undefined ? undefined : { ino: found.ino, ctimeMs: found.ino }
  }
  const read = readingEldersOnce({ entry, folder }, selfPid, trustedNanos)
  asked.length = 0
  return { asked, folders, read }
}

describe("processes that began before the daemon", () => {
  it("are read once; younger ones each time", () => {
    const { asked, read } = pretended(
      new Map([
        [selfPid, { startTicks: 50, ino: 1 }],
        [7, { startTicks: 49, ino: 2 }],
        [8, { startTicks: 50, ino: 3 }],
        [9, { startTicks: 51, ino: 4 }]
      ])
    )
    for (let look = 0; look < 3; look++) for (const pid of [7, 8, 9]) assert.strictEqual(read(pid)?.pid, pid)
    assert.deepStrictEqual(asked, [7, 8, 9, 8, 9, 8, 9])
  })

  it("are gone when they are, and never taken for the next process with their pid", () => {
    const processes = new Map([
      [selfPid, { startTicks: 50, ino: 1 }],
      [7, { startTicks: 49, ino: 2 }]
    ])
    const { read } = pretended(processes)
    assert.strictEqual(read(7)?.startTicks, 49)
    processes.set(7, { startTicks: 60, ino: 5 })
    assert.strictEqual(read(7)?.startTicks, 60)
    processes.set(7, { startTicks: 61, ino: 6 })
    assert.strictEqual(read(7)?.startTicks, 61)
    processes.delete(7)
    assert.isUndefined(read(7))
  })

  it("are not asked about again before their pid could be used again", () => {
    const { asked, folders, read } = pretended(
      new Map([
        [selfPid, { startTicks: 50, ino: 1 }],
        [7, { startTicks: 49, ino: 2 }],
        [9, { startTicks: 51, ino: 4 }]
      ]),
      pidsLastNanos(2 ** 40)
    )
    for (let look = 0; look < 3; look++) for (const pid of [7, 9]) read(pid)
    assert.deepStrictEqual({ asked, folders }, { asked: [7, 9, 9, 9], folders: [7, 9, 9, 9] })
    assert.strictEqual(pidsLastNanos(32_768), 100_000_000n)
  })
})
