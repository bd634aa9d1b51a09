import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { OwnUnitFacts } from "../../../src/Domain/systemd/OwnUnitFacts.ts"
import { workerId } from "../../../src/Domain/WorkerId.ts"
import { OwnUnit } from "../../../src/Layers/systemd/OwnUnit.ts"
import * as WorkerGroups from "../../../src/Layers/tree/WorkerGroups.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { type KernelFolders, kernelFolders } from "../machine/KernelFolders.ts"

const daemonPid = 50
const path = "/user.slice/autopilotd.service"
const unitFolder = `sys/fs/cgroup${path}`
const shop = ProjectName.make("shop")
const id = workerId("home", shop, "0f8fad5b-d9cb-469f-a165-70867728950e")

const delegated: OwnUnitFacts = {
  name: "autopilotd.service",
  manager: "user",
  type: "notify",
  notifyAccess: "all",
  isDelegated: true,
  stopTimeoutMs: 30_000,
  controlGroup: path
}

/** A kernel's files in which the daemon is in the group of its unit. */
const world = Effect.map(kernelFolders, (kernel) => {
  const put = (group: string) => kernel.write({ [`proc/${daemonPid}/cgroup`]: `4:cpu:/\n0::${group}\n` })
  put(path)
  kernel.write({
    [`proc/${daemonPid}/mountinfo`]:
      "31 1 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n",
    [`${unitFolder}/cgroup.procs`]: `${daemonPid}\n`,
    [`${unitFolder}/cgroup.controllers`]: "cpu memory pids\n",
    [`${unitFolder}/cgroup.subtree_control`]: "\n"
  })
  return { ...kernel, put, events: [] as Array<DaemonEvent> }
})
type World = Effect.Effect.Success<typeof world>

const at = ({ sys }: KernelFolders, name: string) => join(sys, "fs/cgroup", path, name)
const text = (kernel: KernelFolders, name: string) => fs.readFileSync(at(kernel, name), "latin1")
const exists = (kernel: KernelFolders, name: string) => fs.existsSync(at(kernel, name))
const reasons = ({ events }: World) =>
  events.map((event) => (event._tag === "GroupsUnusable" ? event.reason : event._tag))

/** The groups of a daemon that begins in this world. */
const begun = (around: World, unit: { readonly facts: OwnUnitFacts | undefined } = { facts: delegated }) =>
  Effect.provide(
    WorkerGroups.WorkerGroups,
    WorkerGroups.layerAt({ proc: around.proc, sys: around.sys, pid: daemonPid }).pipe(
      Layer.provide(
        Layer.mergeAll(
          heldHome("home"),
          Layer.succeed(OwnUnit, { facts: Effect.succeed(unit.facts) }),
          recordedEvents(around.events)
        )
      )
    )
  )

describe("a daemon in a unit that systemd has delegated to it", () => {
  it.scopedLive("moves into a leaf of the unit's cgroup, and has memory accounted for the others", () =>
    Effect.gen(function* () {
      const around = yield* world
      yield* begun(around)
      assert.strictEqual(text(around, "daemon/cgroup.procs"), String(daemonPid))
      assert.strictEqual(text(around, "cgroup.subtree_control"), "+memory")
      assert.deepStrictEqual(around.events, [])
    })
  )

  it.scopedLive("finds the leaf of an earlier start, whether it is in it or not", () =>
    Effect.gen(function* () {
      const around = yield* world
      around.write({ [`${unitFolder}/daemon/cgroup.procs`]: "" })
      yield* begun(around)
      assert.strictEqual(text(around, "daemon/cgroup.procs"), String(daemonPid))

      around.put(`${path}/daemon`)
      around.write({
        [`${unitFolder}/cgroup.procs`]: "",
        [`${unitFolder}/daemon/cgroup.procs`]: `${daemonPid}\n`,
        [`${unitFolder}/cgroup.subtree_control`]: "memory pids\n"
      })
      const groups = yield* begun(around)
      assert.isDefined(yield* groups.make(shop, id))
      assert.strictEqual(text(around, "daemon/cgroup.procs"), `${daemonPid}\n`, "nothing was written again")
      assert.strictEqual(text(around, "cgroup.subtree_control"), "memory pids\n")
      assert.deepStrictEqual(around.events, [])
    })
  )

  it.scopedLive("creates groups without the memory controller where there is none, and reports nothing", () =>
    Effect.gen(function* () {
      const around = yield* world
      around.write({ [`${unitFolder}/cgroup.controllers`]: "hugetlb\n" })
      const groups = yield* begun(around)
      assert.strictEqual(text(around, "cgroup.subtree_control"), "\n")
      const group = yield* groups.make(shop, id)
      assert.isUndefined(group?.memory())
      assert.deepStrictEqual(around.events, [])
    })
  )

  it.scopedLive("creates groups also where memory cannot be accounted, and reports that", () =>
    Effect.gen(function* () {
      const around = yield* world
      around.write({ [`${unitFolder}/cgroup.subtree_control`]: undefined })
      fs.mkdirSync(at(around, "cgroup.subtree_control"))
      const groups = yield* begun(around)
      assert.isDefined(yield* groups.make(shop, id))
      assert.match(reasons(around).join(), /^Memory is not accounted for the cgroups of workers \(.*EISDIR/)
    })
  )
})

describe("a daemon to which no group was delegated", () => {
  it.scopedLive("creates no group, however writable the folder, and reports nothing", () =>
    Effect.gen(function* () {
      const around = yield* world
      for (const facts of [undefined, { ...delegated, isDelegated: false }]) {
        const groups = yield* begun(around, { facts })
        assert.isUndefined(yield* groups.make(shop, id))
        assert.strictEqual(groups.containment(id, 4711), "tree")
        assert.deepStrictEqual(yield* groups.earlier(undefined), [])
        yield* groups.verify(id, 4711)
        yield* groups.end(id)
      }
      assert.isFalse(exists(around, "daemon"))
      assert.strictEqual(text(around, "cgroup.subtree_control"), "\n")
      assert.deepStrictEqual(around.events, [])
    })
  )

  const odd: ReadonlyArray<readonly [what: string, change: (around: World) => void, reason: RegExp]> = [
    [
      "is in another group than its unit's",
      ({ put }) => put("/user.slice/app-terminal.scope"),
      /the daemon is not in the cgroup of its unit, but in \/user\.slice\/app-terminal\.scope/
    ],
    [
      "is deeper in it than the leaf",
      ({ put }) => put(`${path}/worker.shop.0f8fad5b`),
      /but in .*worker\.shop\.0f8fad5b/
    ],
    [
      "has no cgroup version 2",
      ({ write }) => write({ [`proc/${daemonPid}/cgroup`]: "4:memory:/a\n" }),
      /cgroup version 2 is not mounted/
    ],
    [
      "cannot see the unit's folder",
      ({ write }) => write({ [`proc/${daemonPid}/mountinfo`]: "" }),
      /its folder is not visible/
    ],
    [
      "sees another group by that name, in which it is not",
      ({ write }) => write({ [`${unitFolder}/cgroup.procs`]: "1\n" }),
      /its folder is not visible/
    ],
    ["may not move", ({ write }) => write({ [`${unitFolder}/daemon`]: "a file\n" }), /EEXIST/]
  ]
  for (const [what, change, reason] of odd) {
    it.scopedLive(`${what}: one report, and workers are tracked by their process tree`, () =>
      Effect.gen(function* () {
        const around = yield* world
        change(around)
        const groups = yield* begun(around)
        assert.isUndefined(yield* groups.make(shop, id))
        assert.strictEqual(groups.containment(id, 4711), "tree")
        assert.strictEqual(reasons(around).length, 1)
        assert.match(reasons(around).join(), /^Workers get no cgroups of their own \(/)
        assert.match(reasons(around).join(), reason)
        assert.strictEqual(text(around, "cgroup.subtree_control"), "\n")
      })
    )
  }
})

describe("the cgroup of a worker", () => {
  it.scopedLive("is named after its project and run, and known during that run", () =>
    Effect.gen(function* () {
      const around = yield* world
      const groups = yield* begun(around)
      const group = yield* groups.make(shop, id)
      assert.strictEqual(group?.folder, at(around, "worker.shop.0f8fad5b"))
      assert.strictEqual(group?.path, `${path}/worker.shop.0f8fad5b`)
      assert.strictEqual(groups.of(id), group)
      assert.deepStrictEqual(
        groups.living().map(({ workerId }) => workerId),
        [id]
      )
      yield* groups.end(id)
      assert.isFalse(exists(around, "worker.shop.0f8fad5b"))
      assert.isUndefined(groups.of(id))
      assert.deepStrictEqual(around.events, [])
    })
  )

  it.scopedLive("reports whether the worker is in it, once that is known, and keeps checking", () =>
    Effect.gen(function* () {
      const around = yield* world
      const groups = yield* begun(around)
      yield* groups.make(shop, id)
      assert.isUndefined(groups.containment(id, 4711))
      const join = (...pids: ReadonlyArray<number>) =>
        around.write({
          [`${unitFolder}/worker.shop.0f8fad5b/cgroup.procs`]: pids.map((pid) => `${pid}\n`).join("")
        })
      join(4711)
      yield* groups.verify(id, 4711)
      assert.strictEqual(groups.containment(id, 4711), "cgroup")
      join(4712)
      assert.strictEqual(groups.containment(id, 4711), "tree")
      assert.deepStrictEqual(around.events, [])
    })
  )

  it.scopedLive("that the worker does not enter is reported", () =>
    Effect.gen(function* () {
      const around = yield* world
      const groups = yield* begun(around)
      yield* groups.make(shop, id)
      yield* groups.verify(id, 4711)
      assert.strictEqual(groups.containment(id, 4711), "tree")
      assert.deepStrictEqual(around.events, [
        {
          _tag: "WorkerOutsideGroup",
          project: shop,
          pid: 4711,
          cgroup: at(around, "worker.shop.0f8fad5b")
        }
      ])
    })
  )

  it.scopedLive("that cannot be created is reported, and the worker runs without it", () =>
    Effect.gen(function* () {
      const around = yield* world
      const groups = yield* begun(around)
      fs.mkdirSync(at(around, "worker.shop.0f8fad5b"))
      assert.isUndefined(yield* groups.make(shop, id))
      assert.strictEqual(groups.containment(id, 4711), "tree")
      const [told] = around.events
      assert.strictEqual(told?._tag, "GroupNotMade")
      yield* groups.end(id)
      assert.isTrue(
        exists(around, "worker.shop.0f8fad5b"),
        "it is an earlier life's, and ended with its leftovers"
      )
    })
  )

  it.scopedLive("of an earlier run is found by its project, and other groups are ignored", () =>
    Effect.gen(function* () {
      const around = yield* world
      const groups = yield* begun(around)
      yield* groups.make(shop, id)
      for (const name of [
        "worker.shop.11111111",
        "worker.blog.22222222",
        ".control",
        "worker.shop",
        "daemon/x"
      ]) {
        fs.mkdirSync(at(around, name))
      }
      const names = (project?: ProjectName) =>
        Effect.map(groups.earlier(project), (all) => all.map(({ path }) => path.split("/").at(-1)).toSorted())
      assert.deepStrictEqual(yield* names(), ["worker.blog.22222222", "worker.shop.11111111"])
      assert.deepStrictEqual(yield* names(shop), ["worker.shop.11111111"])
    })
  )

  it.scopedLive("that cannot be removed is reported once", () =>
    Effect.gen(function* () {
      const around = yield* world
      const groups = yield* begun(around)
      // A file in it, as no group of the kernel's has, makes it as little removable as somebody in it.
      around.write({ [`${unitFolder}/worker.shop.11111111/cgroup.procs`]: "4711\n" })
      for (const group of yield* groups.earlier(shop)) {
        yield* groups.remove(group)
        yield* groups.remove(group)
      }
      const [told, ...more] = around.events
      assert.deepInclude(told, { _tag: "GroupNotRemoved", cgroup: at(around, "worker.shop.11111111") })
      assert.deepStrictEqual(more, [])
    })
  )
})
