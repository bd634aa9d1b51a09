import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { ProcessEntry } from "../../../src/Domain/machine/ProcessEntry.ts"
import { livingTree, type TreeIdentity } from "../../../src/Domain/machine/ProcessTree.ts"
import { runs } from "../../fixtures/runs.ts"
import { citizen } from "./processWorlds.ts"

/** By default a child of init that leads its own group and session. */
const process = (
  pid: number,
  row: {
    readonly parent?: number
    readonly group?: number
    readonly session?: number
    readonly start?: number
    readonly state?: string
  } = {}
): ProcessEntry => {
  const group = row.group ?? pid
  return citizen(pid, { ...row, group, session: row.session ?? group }).process
}

const nobody: TreeIdentity = {
  leader: undefined,
  known: new Map(),
  marked: new Set(),
  members: new Set(),
  excluded: new Set()
}
const led = (pid: number, startTicks = pid): TreeIdentity => ({ ...nobody, leader: { pid, startTicks } })
const pidsOf = (table: ReadonlyArray<ProcessEntry>, identity: TreeIdentity): ReadonlyArray<number> =>
  livingTree(table, identity)
    .processes.map((entry) => entry.pid)
    .toSorted((a, b) => a - b)

describe("the processes of a worker", () => {
  const init = process(1, { parent: 0 })
  const daemon = process(50)
  const leader = process(100, { parent: 50 })

  const cases: ReadonlyArray<
    readonly [what: string, table: ReadonlyArray<ProcessEntry>, identity: TreeIdentity, pids: Array<number>]
  > = [
    ["are its leader", [init, daemon, leader], led(100), [100]],
    [
      "include the session of a leader that an earlier daemon has named, and that has exited",
      [process(101, { parent: 1, group: 100, session: 100 }), process(90, { session: 91 })],
      {
        ...nobody,
        known: new Map([
          [100, 100],
          [91, 95]
        ])
      },
      [101]
    ],
    [
      "do not include a session whose leader is another process of that pid",
      [process(100, { start: 120 }), process(130, { parent: 1, group: 100, session: 100 })],
      { ...nobody, known: new Map([[100, 100]]) },
      []
    ],
    [
      "include children in its group",
      [leader, process(101, { parent: 100, group: 100 })],
      led(100),
      [100, 101]
    ],
    [
      "include children in groups of their own within its session",
      [leader, process(101, { parent: 1, group: 101, session: 100 })],
      led(100),
      [100, 101]
    ],
    [
      "include a child with a session of its own",
      [leader, process(101, { parent: 100 })],
      led(100),
      [100, 101]
    ],
    [
      "include grandchildren of another session",
      [leader, process(101, { parent: 100 }), process(102, { parent: 101 })],
      led(100),
      [100, 101, 102]
    ],
    [
      "include a double fork that carries the id",
      [leader, process(105)],
      { ...led(100), marked: new Set([105]) },
      [100, 105]
    ],
    [
      "include what has cleared its environment in the session of a double fork",
      [leader, process(105), process(106, { group: 106, session: 105 })],
      { ...led(100), marked: new Set([105]) },
      [100, 105, 106]
    ],
    [
      "include what was seen in it before, wherever it has gone",
      [process(105)],
      { ...led(100), known: new Map([[105, 105]]) },
      [105]
    ],
    [
      "include what is in its cgroup, without a mark, a parent or a session of its",
      [leader, process(105), process(40), process(106)],
      { ...led(100), members: new Set([100, 105, 40]) },
      [40, 100, 105]
    ],
    [
      "are still its group when the leader is gone",
      [process(101, { group: 100 }), process(102, { group: 102, session: 100 })],
      led(100),
      [101, 102]
    ],
    [
      "are without the zombies, but with the children of these",
      [process(100, { state: "Z" }), process(101, { parent: 100 })],
      led(100),
      [101]
    ],
    ["include the stopped", [process(100, { state: "T" })], led(100), [100]],
    ["are without whoever has got the leader's pid since", [process(100, { start: 900 })], led(100), []],
    [
      "are without the group of whoever has got the leader's pid since",
      [process(100, { start: 900 }), process(901, { group: 100 })],
      led(100),
      []
    ],
    [
      "are without whoever has got a known pid since",
      [process(105, { start: 900 })],
      { ...led(100), known: new Map([[105, 105]]) },
      []
    ],
    [
      "are without a daemon that was started from inside, and its session",
      [leader, process(110, { parent: 100 }), process(111, { group: 110 })],
      { ...led(100), excluded: new Set([110]), marked: new Set([110]) },
      [100]
    ],
    [
      "are found by the id alone when a daemon was killed",
      [init, process(100), process(101, { group: 100 }), process(200)],
      { ...nobody, marked: new Set([100]) },
      [100, 101]
    ],
    [
      "are without the shell of a person who took the id over for one command",
      [
        process(300),
        process(301, { parent: 300, session: 300 }),
        process(302, { parent: 300, session: 300 })
      ],
      { ...nobody, marked: new Set([301]) },
      [301]
    ],
    [
      "are without the rest of a session that another pid namespace leads",
      [process(301, { group: 0, session: 0 }), process(302, { group: 0, session: 0 })],
      { ...nobody, marked: new Set([301]) },
      [301]
    ]
  ]
  for (const [what, table, identity, pids] of cases) {
    it(`${what}`, () => {
      assert.deepStrictEqual(pidsOf(table, identity), pids)
    })
  }
})

describe("the process groups of a worker", () => {
  const groups = (table: ReadonlyArray<ProcessEntry>, identity: TreeIdentity) => [
    ...livingTree(table, identity).groups
  ]

  it("are those of its sessions", () => {
    const table = [process(100), process(101, { parent: 100, group: 101, session: 100 })]
    assert.deepStrictEqual(groups(table, led(100)), [100, 101])
  })

  it("are not those of a session with another leader", () => {
    const table = [process(300), process(301, { parent: 300, session: 300 })]
    assert.deepStrictEqual(groups(table, { ...nobody, marked: new Set([301]) }), [])
  })

  it("are never group 0 or 1, which mean the daemon's own group and all processes", () => {
    for (const group of [0, 1]) {
      const table = [process(301, { group, session: group }), process(302, { group, session: 302 })]
      assert.deepStrictEqual(groups(table, { ...nobody, marked: new Set([301, 302]) }), [])
    }
  })
})

/** Process tables with forks, sessions, zombies and reused pids, and an identity of anything in them. */
const world = FastCheck.array(
  FastCheck.record({
    parent: FastCheck.nat(15),
    group: FastCheck.nat(15),
    session: FastCheck.nat(15),
    start: FastCheck.nat(20),
    state: FastCheck.constantFrom("S", "R", "T", "D", "Z", "X")
  }),
  { minLength: 1, maxLength: 15 }
).chain((rows) => {
  const table = rows.map((row, pid) => process(pid, row))
  const pids = FastCheck.uniqueArray(FastCheck.nat(rows.length), { maxLength: 3 })
  return FastCheck.record({
    table: FastCheck.constant(table),
    identity: FastCheck.record({
      leader: FastCheck.option(
        FastCheck.record({ pid: FastCheck.integer({ min: 2, max: 15 }), startTicks: FastCheck.nat(20) }),
        { nil: undefined }
      ),
      known: FastCheck.array(FastCheck.tuple(FastCheck.nat(15), FastCheck.nat(20)), { maxLength: 3 }).map(
        (pairs) => new Map(pairs)
      ),
      marked: pids.map((some) => new Set(some)),
      members: pids.map((some) => new Set(some)),
      excluded: pids.map((some) => new Set(some))
    })
  })
})

type Claim = (
  table: ReadonlyArray<ProcessEntry>,
  identity: TreeIdentity,
  tree: ReturnType<typeof livingTree>
) => boolean

/** Init, the excluded, and what has exited. */
const neverCounts = ({ pid, state }: ProcessEntry, excluded: ReadonlySet<number>): boolean =>
  pid <= 1 || excluded.has(pid) || state === "Z" || state === "X"

/** A process table and an identity for which the claim is false; undefined when there seems to be none. */
const exceptionTo = (claim: Claim) => {
  const property = FastCheck.property(world, ({ identity, table }) =>
    claim(table, identity, livingTree(table, identity))
  )
  return FastCheck.check(property, { numRuns: runs(500) }).counterexample?.at(0)
}

describe("in any process table, a worker's tree", () => {
  it("has no process older than its leader, except those that were moved into its cgroup", () => {
    const exception = exceptionTo((_, { leader, members }, { processes }) =>
      processes.every(
        (entry) => leader === undefined || entry.startTicks >= leader.startTicks || members.has(entry.pid)
      )
    )
    assert.isUndefined(exception)
  })

  it("has no excluded process, no init and no zombie", () => {
    const exception = exceptionTo((_, { excluded }, { processes }) =>
      processes.every((entry) => !neverCounts(entry, excluded))
    )
    assert.isUndefined(exception)
  })

  it("trusts a pid only with its start time", () => {
    const exception = exceptionTo((table, identity) => {
      const { known, leader } = identity
      const isReused = (pid: number, start: number) =>
        table.some((entry) => entry.pid === pid && entry.startTicks !== start)
      // What speaks of a reused pid says nothing: the tree is the same without it.
      const believed = {
        ...identity,
        leader:
          leader !== undefined && isReused(leader.pid, leader.startTicks)
            ? { pid: 1_000_000, startTicks: leader.startTicks }
            : leader,
        known: new Map([...known].filter(([pid, start]) => !isReused(pid, start)))
      }
      return `${pidsOf(table, believed)}` === `${pidsOf(table, identity)}`
    })
    assert.isUndefined(exception)
  })

  it("has every process in its cgroup that is not excluded", () => {
    const exception = exceptionTo((table, { excluded, members }, { processes }) =>
      table.every(
        (entry) => !members.has(entry.pid) || processes.includes(entry) || neverCounts(entry, excluded)
      )
    )
    assert.isUndefined(exception)
  })

  it("has every child of its members that is neither excluded nor older than the leader", () => {
    const exception = exceptionTo((table, { excluded, leader }, { processes }) => {
      const pids = new Set(processes.map((entry) => entry.pid))
      return table.every(
        (entry) =>
          !pids.has(entry.parentPid) ||
          pids.has(entry.pid) ||
          neverCounts(entry, excluded) ||
          (leader !== undefined && entry.startTicks < leader.startTicks)
      )
    })
    assert.isUndefined(exception)
  })

  it("has every process in a session that a member leads, unless that process is excluded or older than the leader", () => {
    const exception = exceptionTo((table, { excluded, leader }, { processes }) => {
      const pids = new Set(processes.map((entry) => entry.pid))
      const shared = new Set(table.filter((entry) => excluded.has(entry.pid)).map((entry) => entry.session))
      return table.every(
        (entry) =>
          !processes.some((member) => member.pid === entry.session && member.session === entry.session) ||
          shared.has(entry.session) ||
          pids.has(entry.pid) ||
          neverCounts(entry, excluded) ||
          (leader !== undefined && entry.startTicks < leader.startTicks)
      )
    })
    assert.isUndefined(exception)
  })

  it("is empty when none of its processes was ever found", () => {
    const exception = exceptionTo((table) => livingTree(table, nobody).processes.length === 0)
    assert.isUndefined(exception)
  })

  it("has only groups whose signal reaches no excluded process", () => {
    const exception = exceptionTo((table, { excluded }, { groups }) =>
      table.every(
        (entry) =>
          !excluded.has(entry.pid) ||
          !groups.has(entry.group) ||
          // Only a group that spans sessions could hold both, and the kernel has none.
          table.some((other) => other.group === entry.group && other.session !== entry.session)
      )
    )
    assert.isUndefined(exception)
  })
})
