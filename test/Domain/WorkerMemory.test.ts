import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { livingTree, type ProcessEntry } from "../../src/Domain/ProcessTree.ts"
import { memoryByLeader } from "../../src/Domain/WorkerMemory.ts"

const row = (
  pid: number,
  parentPid: number,
  residentBytes: number,
  more: Partial<ProcessEntry> = {}
): ProcessEntry => ({
  pid,
  parentPid,
  group: pid,
  session: 1,
  startTicks: 1,
  state: "S",
  residentBytes,
  ...more
})

describe("what a worker's processes hold", () => {
  it("is the sum of its session, its group and all that descends from it, by each worker", () => {
    const table = [
      row(1, 0, 1),
      row(100, 50, 10, { session: 100, group: 100 }),
      row(101, 100, 20, { session: 100, group: 100 }),
      row(102, 101, 40, { session: 102, group: 102 }),
      row(103, 1, 80, { session: 100, group: 100 }),
      row(200, 50, 1000, { session: 200, group: 200 }),
      row(201, 200, 2000, { session: 201, group: 201 }),
      row(50, 1, 5)
    ]
    assert.deepStrictEqual(
      [...memoryByLeader(table, new Set([100, 200]))],
      [
        [100, { residentBytes: 150, processes: 4 }],
        [200, { residentBytes: 3000, processes: 2 }]
      ]
    )
  })

  it("is not there for a worker that is not, and survives a table with a circle in it", () => {
    const circle = [row(7, 8, 1), row(8, 7, 1), row(9, 7, 1)]
    assert.deepStrictEqual([...memoryByLeader(circle, new Set([5]))], [])
    assert.deepStrictEqual(
      [...memoryByLeader(circle, new Set([8]))],
      [[8, { residentBytes: 3, processes: 3 }]]
    )
  })

  it("takes a chain of 100,000 forks without an overflow", () => {
    const chain = Array.from({ length: 100_000 }, (_, at) => row(at + 10, at + 9, 1))
    assert.deepStrictEqual(
      [...memoryByLeader(chain.toReversed(), new Set([10]))],
      [[10, { residentBytes: 100_000, processes: 100_000 }]]
    )
  })

  it("counts the processes that the end of the tree would find by group, session and descent", () => {
    const entry = FastCheck.record({
      parentPid: FastCheck.integer({ min: 1, max: 20 }),
      group: FastCheck.integer({ min: 2, max: 20 }),
      session: FastCheck.integer({ min: 2, max: 20 })
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(entry, { minLength: 1, maxLength: 19 }), (rows) => {
        // A parent is older than its child, as processes are.
        const table = rows.map(({ group, parentPid, session }, at) =>
          row(at + 2, Math.min(parentPid, at + 1), 1, { group, session, startTicks: at })
        )
        // The worker of a pid leads its own session and group.
        const led = table.map((one) => (one.pid === 2 ? { ...one, group: 2, session: 2 } : one))
        const counted = memoryByLeader(led, new Set([2])).get(2)?.processes ?? 0
        const inTree = livingTree(led, {
          leader: { pid: 2, startTicks: 0 },
          known: new Map(),
          marked: new Set(),
          excluded: new Set()
        })
        // The tree also has the sessions that its members lead, which memory leaves to the next look at descent.
        assert.isAtMost(counted, inTree.processes.length)
        const bySessionOrGroup = led.filter((one) => one.session === 2 || one.group === 2 || one.pid === 2)
        assert.isAtLeast(counted, bySessionOrGroup.length)
      })
    )
  })
})
