import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { chooseVictims, type HogRules } from "../../../src/Domain/guard/HogChoice.ts"
import { heldBytes } from "../../../src/Domain/machine/ProcessEntry.ts"
import { runs } from "../../fixtures/runs.ts"
import {
  anyWorld,
  blog,
  type Citizen,
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

const threshold = 500 * MiB

const rules: HogRules = {
  hogNames: ["node"],
  hogPolicy: "cause",
  protect: [],
  nodeKillThresholdBytes: threshold,
  isCritical: false
}

const choice = (world: World, changed: Partial<HogRules> = {}) =>
  chooseVictims(scanned(world, threshold), world.workers, { ...rules, ...changed })

const victimsIn = (world: World, changed: Partial<HogRules> = {}) =>
  choice(world, changed).victims.map(({ because, pid }) => `${pid} ${because._tag}`)

const whySpared = (world: World, pid: number, changed: Partial<HogRules> = {}) =>
  choice(world, changed).spared.find((one) => one.pid === pid)?.because

/** The daemon 50 with a worker of `shop` that runs, its leader 100 and that one's child 101. */
const alive = `${homeId}:shop:now`
const dead = `${homeId}:shop:before`
const around = [
  citizen(1, { parent: 0, name: "init" }),
  citizen(40, { name: "bash", session: 40 }),
  citizen(50, { parent: 40, session: 40, argv: ["node", "/opt/autopilotd.js", "start"] }),
  citizen(100, { parent: 50, mark: alive, bytes: 300 * MiB }),
  citizen(101, { parent: 100, session: 100, mark: alive, bytes: 300 * MiB })
]
const workers = [{ project: shop, running: { id: alive, leaderPid: 100 } }]
const with_ = (...more: ReadonlyArray<Citizen>): World => worldOf(50, [...around, ...more], workers)
const large = 700 * MiB
const small = 10 * MiB

describe("when memory is low, the process to kill", () => {
  const ended: ReadonlyArray<readonly [what: string, world: World, victims: ReadonlyArray<string>]> = [
    ["is nobody while all is in order", with_(), []],
    [
      "is what a worker that is gone has left, of any size",
      with_(citizen(200, { mark: dead, bytes: small, name: "sleep" })),
      ["200 Leftover"]
    ],
    [
      "is also what that has started itself, with its environment cleared",
      with_(
        citizen(200, { mark: dead, bytes: small }),
        citizen(201, { parent: 200, session: 200, bytes: small, name: "sleep" })
      ),
      ["200 Leftover", "201 Leftover"]
    ],
    [
      "is what a project has left that is none any more",
      with_(citizen(200, { mark: `${homeId}:gone:1` })),
      ["200 Leftover"]
    ],
    [
      "is what the worker has lost, when it is large, while the worker goes on",
      with_(
        citizen(200, { mark: alive, bytes: large, name: "mcp" }),
        citizen(201, { mark: alive, bytes: small })
      ),
      ["200 Orphan"]
    ],
    [
      "is also what has lost its parent in the worker's own session",
      with_(citizen(200, { mark: alive, session: 100, bytes: large })),
      ["200 Orphan"]
    ],
    [
      "is a large process of the same user with a hog's name, the larger one first, swap included",
      with_(
        citizen(200, { bytes: large }),
        citizen(201, { bytes: 600 * MiB, swap: 200 * MiB }),
        citizen(202, { bytes: small })
      ),
      ["201 Hog", "200 Hog"]
    ],
    [
      "is first what dead workers have left, then what living ones have lost, then anybody else, the largest first",
      with_(
        citizen(200, { bytes: 9000 * MiB }),
        citizen(201, { mark: alive, bytes: 600 * MiB }),
        citizen(202, { mark: dead, bytes: 1 * MiB }),
        citizen(203, { mark: alive, bytes: 800 * MiB }),
        citizen(204, { mark: dead, bytes: 2 * MiB })
      ),
      ["204 Leftover", "202 Leftover", "203 Orphan", "201 Orphan", "200 Hog"]
    ]
  ]
  for (const [what, world, victims] of ended) {
    it(`${what}`, () => {
      assert.deepStrictEqual(victimsIn(world), victims)
    })
  }

  it("is known for ever by pid and start time", () => {
    const { victims } = choice(with_(citizen(200, { mark: dead, start: 4711 })))
    assert.strictEqual(victims[0]?.startTicks, 4711)
  })

  it("is no stranger that is smaller than a worker, unless memory is critical or the policy says so", () => {
    const world = with_(citizen(200, { bytes: 550 * MiB }))
    assert.deepStrictEqual(victimsIn(world), [])
    assert.deepStrictEqual(whySpared(world, 200), {
      _tag: "SmallerThanWorker",
      project: shop,
      bytes: 600 * MiB
    })
    assert.deepStrictEqual(victimsIn(world, { isCritical: true }), ["200 Hog"])
    assert.deepStrictEqual(victimsIn(world, { hogPolicy: "any" }), ["200 Hog"])
    assert.deepStrictEqual(victimsIn(world, { hogPolicy: "own", isCritical: true }), [])
    assert.deepStrictEqual(whySpared(world, 200, { hogPolicy: "own" }), { _tag: "OwnOnly" })
  })

  it("is only in the cgroup whose memory is short", () => {
    const world = with_(citizen(200, { bytes: large }), citizen(201, { mark: dead }))
    assert.deepStrictEqual(victimsIn(world, { within: new Set([200]) }), ["200 Hog"])
    assert.deepStrictEqual(whySpared(world, 201, { within: new Set([200]) }), { _tag: "OutsideGroup" })
  })
})

describe("when memory is low, the guard spares", () => {
  const spared: ReadonlyArray<readonly [what: string, world: World, tag: string]> = [
    ["this daemon", worldOf(200, [citizen(1), citizen(200, { bytes: large })]), "Daemon"],
    [
      "what this daemon was started from",
      worldOf(50, [citizen(200, { start: 40, bytes: large }), citizen(50, { parent: 200 })]),
      "Ancestor"
    ],
    ["a thread of the kernel", with_(citizen(200, { kernel: true, bytes: large })), "System"],
    ["another user's process", with_(citizen(200, { ownUser: false, bytes: large })), "OtherUser"],
    [
      "what root has started with our mark",
      with_(citizen(200, { ownUser: false, mark: alive, bytes: large })),
      "OtherUser"
    ],
    ["a program of another name", with_(citizen(200, { name: "node_exporter", bytes: large })), "OtherName"],
    ["a part of the worker", with_(citizen(200, { parent: 101, bytes: large })), "Worker"],
    [
      "a part of the worker with a session of its own",
      with_(citizen(200, { parent: 101, session: 200, mark: alive, bytes: large })),
      "Worker"
    ],
    [
      "a part of the worker that has cleared its environment and lost its parent, but is in its session",
      with_(citizen(200, { session: 100, bytes: large })),
      "Worker"
    ],
    [
      "what the daemon runs for itself",
      with_(citizen(200, { parent: 50, session: 40, bytes: large })),
      "Daemon"
    ],
    [
      "another autopilotd that a worker has started",
      with_(citizen(200, { mark: dead, argv: ["node", "/x/autopilotd.js"], bytes: large })),
      "OtherDaemon"
    ],
    [
      "what such a one has started, with our mark still in its environment",
      with_(
        citizen(199, { mark: dead, argv: ["node", "/x/autopilotd.js"] }),
        citizen(200, { parent: 199, session: 199, mark: dead, bytes: large })
      ),
      "OtherDaemon"
    ],
    [
      "another home's worker",
      with_(citizen(200, { mark: `${otherHomeId}:shop:1`, bytes: large })),
      "OtherDaemon"
    ],
    [
      "a part of another home's worker that has cleared its environment",
      with_(
        citizen(199, { mark: `${otherHomeId}:shop:1` }),
        citizen(200, { parent: 199, session: 199, bytes: large })
      ),
      "OtherDaemon"
    ],
    ["what the worker has lost and is small", with_(citizen(200, { mark: alive, bytes: small })), "Small"],
    [
      "what carries the worker's id, when its parent cannot be seen",
      with_(citizen(200, { parent: 199, mark: alive, bytes: large })),
      "Unclear"
    ],
    ["a zombie", with_(citizen(200, { state: "Z", bytes: large })), "Gone"]
  ]
  for (const [what, world, tag] of spared) {
    it(`${what}`, () => {
      for (const isCritical of [false, true]) {
        assert.deepStrictEqual(victimsIn(world, { isCritical }), [])
        assert.strictEqual(whySpared(world, 200, { isCritical })?._tag, tag)
      }
    })
  }

  it("a process whose name the user protects, also a leftover of a worker", () => {
    for (const mark of [undefined, dead, alive]) {
      const one = citizen(200, { bytes: large, ...(mark === undefined ? {} : { mark }) })
      const world = with_(one)
      assert.lengthOf(victimsIn(world), 1)
      assert.deepStrictEqual(victimsIn(world, { protect: ["other", "node"] }), [])
      assert.deepStrictEqual(whySpared(world, 200, { protect: ["other", "node"] }), {
        _tag: "Protected",
        rule: "node"
      })
    }
  })

  it("the processes of a project that starts or stops", () => {
    const own = citizen(200, { mark: `${homeId}:blog:1`, bytes: large })
    const busy = { ...with_(own), workers: [...workers, { project: blog, running: undefined }] }
    assert.deepStrictEqual(victimsIn(busy), [])
    assert.deepStrictEqual(whySpared(busy, 200), { _tag: "Worker", project: blog })
    // A name that only begins alike is another project's.
    const other = with_(citizen(200, { mark: `${homeId}:blog2:1`, bytes: large }))
    assert.deepStrictEqual(victimsIn({ ...other, workers: busy.workers }), ["200 Leftover"])
  })

  it("a process that exits during the scan", () => {
    const world = with_(citizen(200, { bytes: large }))
    const facts = scanned(world, threshold)
    const { victims } = chooseVictims({ ...facts, details: new Map() }, world.workers, rules)
    assert.deepStrictEqual(victims, [])
  })
})

describe("in a container whose first process is the daemon", () => {
  const inContainer = (...more: ReadonlyArray<Citizen>) =>
    worldOf(
      1,
      [citizen(1, { parent: 0 }), citizen(100, { parent: 1, mark: alive, bytes: large }), ...more],
      workers
    )

  it("a process that has lost its parents is found, and the worker is spared", () => {
    assert.deepStrictEqual(victimsIn(inContainer(citizen(200, { parent: 1, mark: dead }))), ["200 Leftover"])
    assert.deepStrictEqual(whySpared(inContainer(), 100), { _tag: "Worker", project: shop })
  })
})

const anyRules = FastCheck.record({
  hogPolicy: FastCheck.constantFrom("cause" as const, "any" as const, "own" as const),
  isCritical: FastCheck.boolean(),
  protect: FastCheck.subarray(["claude", "MainThread"]),
  hogNames: FastCheck.subarray(["node", "claude", "node_exporter"])
})

const always = (
  worlds: FastCheck.Arbitrary<World>,
  claim: (world: World, changed: Partial<HogRules>, chosen: ReturnType<typeof chooseVictims>) => void
) =>
  FastCheck.assert(
    FastCheck.property(worlds, anyRules, (world, changed) => claim(world, changed, choice(world, changed))),
    { numRuns: runs(500) }
  )

describe("on any machine", () => {
  it("no process is chosen without a reason, in any process table", () => {
    always(anyWorld, (world, { hogNames = [], hogPolicy, protect = [] }, { victims }) => {
      const leader = world.workers[0]?.running?.leaderPid
      const ancestors = lineOf(world, daemonPid)
      for (const { because, heldBytes: bytes, pid, startTicks } of victims) {
        const found = world.citizens.get(pid)
        const line = lineOf(world, pid)
        assert(found !== undefined)
        assert.strictEqual(found.process.startTicks, startTicks)
        assert.notInclude(ancestors, pid)
        assert.isFalse(leader !== undefined && line.includes(leader))
        assert.isTrue(found.details.isOwnUser)
        assert.notInclude(protect, found.details.comm)
        assert.notInclude(found.details.argv.join(" "), "autopilotd")
        assert.isFalse(found.bornTo?.startsWith(otherHomeId) === true && found.mark !== undefined)
        switch (because._tag) {
          case "Leftover":
            assert.match(found.bornTo ?? "", new RegExp(`^${homeId}:`))
            assert.notStrictEqual(found.bornTo, world.workers[0]?.running?.id)
            break
          case "Orphan":
            assert.strictEqual(found.bornTo, world.workers[0]?.running?.id)
            assert.isAtLeast(bytes, threshold)
            break
          case "Hog":
            assert.notStrictEqual(hogPolicy, "own")
            assert.include(hogNames, found.details.executable?.replace("/usr/bin/", ""))
            assert.isAtLeast(bytes, threshold)
            // Whoever was born to a worker is taken for a stranger only if it has hidden that.
            assert.isTrue(found.bornTo === undefined || found.mark === undefined)
        }
      }
    })
  })

  it("every leftover of a dead worker is found, although few environments are read", () => {
    always(honestWorld, (world, { protect = [] }, { victims }) => {
      const chosen = new Set(victims.map(({ pid }) => pid))
      const left = [...world.citizens.values()].filter(({ bornTo, details, process }) => {
        const line = lineOf(world, process.pid)
        const isAutopilotds = line.some(
          (pid) => world.citizens.get(pid)?.details.argv.join(" ").includes("autopilotd") === true
        )
        return (
          bornTo?.startsWith(homeId) === true &&
          bornTo !== world.workers[0]?.running?.id &&
          !isAutopilotds &&
          !protect.includes(details.comm)
        )
      })
      assert.deepStrictEqual(
        left.map(({ process }) => process.pid).filter((pid) => !chosen.has(pid)),
        []
      )
    })
  })

  it("the order holds: leftovers, orphans, hogs, and the largest of each first", () => {
    const ranks = { Leftover: 0, Orphan: 1, Hog: 2 }
    always(anyWorld, (_, __, { victims }) => {
      for (const [at, { because, heldBytes: bytes }] of victims.entries()) {
        const next = victims[at + 1]
        if (next === undefined) continue
        assert.isAtMost(ranks[because._tag], ranks[next.because._tag])
        if (because._tag === next.because._tag) assert.isAtLeast(bytes, next.heldBytes)
      }
    })
  })

  it("each large process gets exactly one verdict", () => {
    always(anyWorld, (world, _, { spared, victims }) => {
      const pids = [...victims, ...spared].map(({ pid }) => pid)
      assert.lengthOf(new Set(pids), pids.length)
      for (const { process } of world.citizens.values()) {
        if (heldBytes(process) >= threshold) assert.include(pids, process.pid)
      }
    })
  })

  it("with the policy cause, no stranger that is smaller than the worker is killed before memory is critical", () => {
    always(anyWorld, (world, changed) => {
      const leader = world.workers[0]?.running?.leaderPid
      const bytes = [...world.citizens.values()]
        .filter(({ process }) => leader !== undefined && lineOf(world, process.pid).includes(leader))
        .reduce((sum, { process }) => sum + heldBytes(process), 0)
      const { victims } = choice(world, { ...changed, hogPolicy: "cause", isCritical: false })
      const tooSmall = victims.filter(
        (victim) => victim.because._tag === "Hog" && leader !== undefined && victim.heldBytes <= bytes
      )
      assert.deepStrictEqual(tooSmall, [])
    })
  })

  it("a cycle of parents, which a scan of a changing table can contain, does not loop", () => {
    const circle = worldOf(50, [
      citizen(50, { parent: 60 }),
      citizen(60, { parent: 50, bytes: large }),
      citizen(70, { parent: 71, mark: dead, bytes: large }),
      citizen(71, { parent: 70, bytes: large, name: "other" })
    ])
    assert.deepStrictEqual(victimsIn(circle), ["70 Leftover"])
  })
})
