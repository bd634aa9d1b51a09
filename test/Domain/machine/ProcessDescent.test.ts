import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  ancestorsOf,
  handedDown,
  strayed,
  withParentsUnknown
} from "../../../src/Domain/machine/ProcessDescent.ts"
import { anyWorld, citizen, homeId, lineOf, otherHomeId, scanned, worldOf } from "./processWorlds.ts"

describe("a value that children inherit", () => {
  it("reaches the last of a chain of forks that is longer than the stack is deep", () => {
    const count = 200_000
    const processes = new Map(
      Array.from({ length: count }, (_, at) => [at + 1, citizen(at + 1, { parent: at }).process])
    )
    const depth = handedDown<number>(processes, (_, parent = 0) => parent + 1)
    assert.strictEqual(depth(count), count)
    assert.strictEqual(depth(1), 1)
    assert.isUndefined(depth(count + 1))
  })

  it("is computed once for each process, parents first", () => {
    FastCheck.assert(
      FastCheck.property(anyWorld, (world) => {
        const { processes } = scanned(world, 1)
        const made: Array<number> = []
        const line = handedDown<ReadonlyArray<number>>(processes, ({ pid }, parent = []) => {
          made.push(pid)
          return [pid, ...parent]
        })
        for (const pid of processes.keys()) assert.deepStrictEqual(line(pid), lineOf(world, pid))
        assert.lengthOf(new Set(made), made.length)
        const all = [...processes.keys()]
        for (const pid of all)
          assert.sameMembers([pid, ...ancestorsOf(processes, pid)].filter(Boolean), [...lineOf(world, pid)])
      })
    )
  })
})

describe("the ancestors of a process", () => {
  it("do not include a process that began later: it has the pid of one that is gone", () => {
    const line = [citizen(40), citizen(45, { parent: 40 }), citizen(50, { parent: 45 })]
    const processes = new Map(line.map(({ process }) => [process.pid, process]))
    assert.deepStrictEqual([...ancestorsOf(processes, 50)], [45, 40])
    const later = citizen(40, { start: 60 }).process
    assert.deepStrictEqual([...ancestorsOf(new Map([...processes, [40, later]]), 50)], [45])
  })
})

describe("the environments that are read", () => {
  const table = worldOf(50, [
    citizen(1, { parent: 0 }),
    citizen(40),
    citizen(50, { parent: 40, session: 40 }),
    citizen(100, { parent: 50 }),
    citizen(101, { parent: 100, session: 100 }),
    citizen(102, { parent: 1, session: 100 }),
    citizen(103, { parent: 99, session: 99 }),
    citizen(104, { parent: 1, state: "Z" }),
    citizen(105, { parent: 2, kernel: true })
  ])

  it("are those of session leaders and of processes that may have lost their parent; never of the daemon's ancestors", () => {
    const read = withParentsUnknown(scanned(table, Number.POSITIVE_INFINITY)).map(({ pid }) => pid)
    assert.deepStrictEqual(read, [100, 102, 103])
  })
})

describe("a process that has strayed from a worker", () => {
  it("carries a mark of this home, or descends from one that does, and does not descend from the daemon", () => {
    const world = worldOf(50, [
      citizen(1, { parent: 0 }),
      citizen(50),
      citizen(100, { parent: 50, mark: `${homeId}:a:1` }),
      citizen(101, { parent: 100, session: 100, mark: `${homeId}:a:1` }),
      citizen(200, { mark: `${homeId}:a:1` }),
      citizen(201, { parent: 200, session: 200 }),
      citizen(202, { parent: 200, mark: `${otherHomeId}:a:1` }),
      citizen(203, { parent: 202, session: 202 }),
      citizen(204, { parent: 200, session: 200, state: "Z" }),
      citizen(300, { mark: `${otherHomeId}:a:1` }),
      citizen(400)
    ])
    const facts = scanned(world, Number.POSITIVE_INFINITY)
    assert.deepStrictEqual(
      strayed(facts).map(({ pid }) => pid),
      [200, 201]
    )
    assert.deepStrictEqual(strayed({ ...facts, marks: new Map() }), [])
  })
})
