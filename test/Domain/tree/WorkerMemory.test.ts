import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { heldBytes } from "../../../src/Domain/machine/ProcessEntry.ts"
import { withMembers } from "../../../src/Domain/machine/ProcessFacts.ts"
import type { LiveWorker } from "../../../src/Domain/tree/ProcessOrigin.ts"
import { nextRunMemory, treeMemory, withSwap, workerTrees } from "../../../src/Domain/tree/WorkerMemory.ts"
import {
  anyWorld,
  blog,
  citizen,
  daemonPid,
  homeId,
  honestWorld,
  lineOf,
  MiB,
  otherHomeId,
  scanned,
  shop,
  type World,
  worldOf
} from "../machine/processWorlds.ts"

const shopId = `${homeId}:shop:now`
const blogId = `${homeId}:blog:now`
const workers: ReadonlyArray<LiveWorker> = [
  { project: shop, running: { id: shopId, leaderPid: 100 } },
  { project: blog, running: { id: blogId, leaderPid: 200 } }
]

/** As a look finds them that reads no details of anybody for its size. */
const treesIn = (world: World, inCharge = workers) =>
  workerTrees(scanned(world, Number.POSITIVE_INFINITY), inCharge)

const pidsOf = (world: World, inCharge = workers) =>
  treesIn(world, inCharge).map(({ members }) => members.map(({ pid }) => pid))

const shopAndBlog = (...others: ReadonlyArray<ReturnType<typeof citizen>>) =>
  worldOf(50, [
    citizen(1, { parent: 0 }),
    citizen(50, { parent: 1 }),
    citizen(100, { parent: 50, mark: shopId }),
    citizen(200, { parent: 50, mark: blogId }),
    ...others
  ])

describe("the tree of a worker", () => {
  it("is its leader, session and group, and all descendants, with any environment", () => {
    const world = shopAndBlog(
      citizen(101, { parent: 100, session: 100, mark: shopId }),
      citizen(102, { parent: 101, session: 102 }),
      citizen(103, { parent: 1, session: 100 }),
      citizen(104, { parent: 1, session: 7, group: 100 }),
      citizen(201, { parent: 200 })
    )
    assert.deepStrictEqual(pidsOf(world), [
      [100, 101, 102, 103, 104],
      [200, 201]
    ])
  })

  it("includes processes that have left the session and lost their parents, and their children", () => {
    const world = shopAndBlog(
      citizen(110, { mark: shopId }),
      citizen(111, { parent: 110, session: 110 }),
      citizen(112, { parent: 4711, mark: shopId })
    )
    assert.deepStrictEqual(pidsOf(world), [[100, 110, 111, 112], [200]])
  })

  it("includes processes that only its cgroup identifies", () => {
    const world = shopAndBlog(
      citizen(120, { session: 120 }),
      citizen(121, { parent: 120, session: 120 }),
      citizen(122, { session: 122, mark: blogId }),
      citizen(123, { session: 123 })
    )
    const facts = scanned(world, Number.POSITIVE_INFINITY)
    const groups = [
      { workerId: shopId, pids: new Set([100, 120, 122, 4711]) },
      { workerId: blogId, pids: new Set<number>() }
    ]
    const trees = workerTrees(withMembers(facts, groups), workers)
    // Who carries the id of another worker is that one's, wherever it is.
    assert.deepStrictEqual(
      trees.map(({ members }) => members.map(({ pid }) => pid)),
      [
        [100, 120, 121],
        [200, 122]
      ]
    )
    assert.strictEqual(withMembers(facts, [{ workerId: shopId, pids: new Set([100]) }]), facts)
  })

  it("excludes processes of another worker, an earlier run, another daemon or a user", () => {
    const world = shopAndBlog(
      citizen(300, { mark: `${homeId}:shop:before` }),
      citizen(301, { mark: `${otherHomeId}:shop:now` }),
      citizen(302),
      citizen(303, { parent: 50 })
    )
    assert.deepStrictEqual(pidsOf(world), [[100], [200]])
  })

  it("has no zombies", () => {
    const world = shopAndBlog(citizen(101, { parent: 100, state: "Z", bytes: 0 }))
    assert.deepStrictEqual(pidsOf(world), [[100], [200]])
  })

  it("exists only for running workers", () => {
    const inCharge: ReadonlyArray<LiveWorker> = [
      { project: shop, running: undefined },
      { project: blog, running: { id: blogId, leaderPid: 200 } }
    ]
    const [tree, ...more] = treesIn(shopAndBlog(citizen(110, { mark: shopId })), inCharge)
    assert.deepInclude(tree, { project: blog, workerId: blogId, leaderPid: 200 })
    assert.lengthOf(more, 0)
  })

  it("is empty, and not missing, when the leader has just gone", () => {
    const world = worldOf(50, [citizen(1, { parent: 0 }), citizen(50)])
    assert.deepStrictEqual(pidsOf(world), [[], []])
  })

  it("handles a chain of 20,000 forks without an overflow", () => {
    const chain = Array.from({ length: 20_000 }, (_, at) =>
      citizen(1000 + at, { parent: at === 0 ? 100 : 999 + at, session: 100 })
    )
    assert.lengthOf(pidsOf(shopAndBlog(...chain.toReversed()))[0] ?? [], 20_001)
  })

  it("is, in any process table, exactly what the worker has started, directly or not", () => {
    FastCheck.assert(
      FastCheck.property(honestWorld, (world) => {
        const [running] = world.workers
        const expected = [...world.citizens.values()]
          .filter(({ bornTo }) => bornTo !== undefined && bornTo === running?.running?.id)
          // A daemon that a worker has lost, with all that it has started, is nobody's but its own.
          .filter(({ process: { pid } }) => {
            const line = lineOf(world, pid)
            const leader = line.indexOf(running?.running?.leaderPid ?? 0)
            return line
              .slice(0, leader === -1 ? line.length : leader)
              .every(
                (at) =>
                  at === daemonPid || leader !== -1 || world.citizens.get(at)?.details.comm !== "autopilotd"
              )
          })
          .map(({ process: { pid } }) => pid)
        const found = treesIn(world, world.workers).flatMap(({ members }) => members.map(({ pid }) => pid))
        assert.sameMembers(found, expected)
      })
    )
  })

  it("never includes the daemon, or a process of another daemon's worker", () => {
    FastCheck.assert(
      FastCheck.property(anyWorld, (world) => {
        const found = treesIn(world, world.workers).flatMap(({ members }) => members.map(({ pid }) => pid))
        for (const pid of found) {
          assert.notInclude([1, daemonPid], pid)
          assert.notMatch(world.citizens.get(pid)?.mark ?? "", new RegExp(`^${otherHomeId}`))
        }
      })
    )
  })
})

describe("the memory of a worker", () => {
  const tree = (...bytes: ReadonlyArray<number>) => ({
    project: shop,
    workerId: shopId,
    leaderPid: 100,
    members: bytes.map((residentBytes, at) => ({
      pid: 100 + at,
      startTicks: at,
      residentBytes,
      swapBytes: 0
    }))
  })

  it("is the sum of memory and swap of all its processes", () => {
    const swapped = withSwap(
      tree(MiB, 2 * MiB, 4 * MiB),
      new Map([
        [101, MiB],
        [999, 100 * MiB]
      ])
    )
    const memory = treeMemory(swapped)
    assert.deepStrictEqual(memory, { residentBytes: 7 * MiB, swapBytes: MiB, processes: 3 })
    assert.strictEqual(heldBytes(memory), 8 * MiB)
  })

  it("never exceeds its peak, which never shrinks", () => {
    const amount = FastCheck.record({
      residentBytes: FastCheck.nat(),
      swapBytes: FastCheck.nat(),
      processes: FastCheck.nat()
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(amount, { minLength: 1 }), (looks) => {
        let life: ReturnType<typeof nextRunMemory> | undefined
        for (const look of looks) {
          const before = life?.peakBytes ?? 0
          life = nextRunMemory(life, look)
          assert.isAtLeast(life.peakBytes, before)
          assert.isAtLeast(life.peakBytes, heldBytes(look))
          assert.deepInclude(life, look)
        }
        assert.strictEqual(life?.peakBytes, Math.max(...looks.map(heldBytes)))
      })
    )
  })
})
