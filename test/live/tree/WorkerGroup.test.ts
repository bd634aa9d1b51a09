import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { OwnUnitFacts } from "../../../src/Domain/systemd/OwnUnitFacts.ts"
import { variable, workerId } from "../../../src/Domain/WorkerId.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as ProcessSignal from "../../../src/Layers/machine/ProcessSignal.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { OwnUnit } from "../../../src/Layers/systemd/OwnUnit.ts"
import * as Leftovers from "../../../src/Layers/tree/Leftovers.ts"
import type { Tree } from "../../../src/Layers/tree/TreeScan.ts"
import { makeWorkerGroup } from "../../../src/Layers/tree/WorkerGroup.ts"
import * as WorkerGroups from "../../../src/Layers/tree/WorkerGroups.ts"
import * as WorkerProcess from "../../../src/Layers/tree/WorkerProcess.ts"
import * as WorkerTree from "../../../src/Layers/tree/WorkerTree.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { eventually, isAlive, temporaryHome } from "../TestDaemon.ts"
import { noUnifiedGroup, pidsIn, processIn, unifiedGroup } from "./UnifiedGroup.ts"

const homeId = "home-of-worker-group-test"
const shop = ProjectName.make("shop")
const id = workerId(homeId, shop, "0f8fad5b-d9cb-469f-a165-70867728950e")
const mark = `${variable}=${id}`

const slow = { graceMs: 600_000, hasten: Effect.never }
const atOnce = { graceMs: 0, hasten: Effect.never }

const Trees = WorkerTree.layer.pipe(Layer.provide(ProcessSignal.layer), Layer.provideMerge(ProcFs.layer))

/** The real groups of a worker, in a group of the test's own that stands for the unit's. */
const own = Effect.gen(function* () {
  const unit = yield* unifiedGroup
  const group = yield* makeWorkerGroup(join(unit.folder, "worker.shop.0f8fad5b"), `${unit.path}/worker`)
  return { unit, group }
})

const treeOf = (pid: number, group: Effect.Effect.Success<typeof own>["group"]) =>
  Effect.flatMap(WorkerTree.WorkerTree, (trees) => trees.of(pid, mark, group))
const end = (tree: Tree, ending: WorkerTree.Ending) =>
  Effect.flatMap(WorkerTree.WorkerTree, (trees) => trees.end(tree, ending))

/** What systemd says of the unit that has this group. */
const delegated = (controlGroup: string): OwnUnitFacts => ({
  name: "autopilotd.service",
  manager: "user",
  type: "notify",
  notifyAccess: "all",
  isDelegated: true,
  stopTimeoutMs: 30_000,
  controlGroup
})

/** Waits until a process has said its pid in a file. */
const pidFrom = (file: string) =>
  eventually(
    `a pid in ${file}`,
    Effect.try(() => Number(fs.readFileSync(file, "utf8").trim()) || undefined)
  )

/** Processes that leave session, parent and environment behind, and change their pid for ever. */
const hopping = (count: number) =>
  `exec env -i perl -MPOSIX -e 'for (1..${count}) { next if fork; setsid; $SIG{TERM} = "IGNORE"; while (1) { exit if fork; setsid } } sleep 1 while 1'`

const title = noUnifiedGroup === undefined ? "" : ` (skipped: ${noUnifiedGroup})`

describe.skipIf(noUnifiedGroup !== undefined)(`a worker in its own cgroup${title}`, () => {
  it.scopedLive("is killed with processes that fork faster than the daemon can read their pids", () =>
    Effect.gen(function* () {
      const { group } = yield* own
      const leader = yield* processIn(group.folder, hopping(8))
      const tree = yield* treeOf(leader, group)
      yield* eventually("they hop", () => group.members().size > 8)
      // On a busy machine one attempt may be too short for all of them.
      yield* eventually(
        "none is left",
        Effect.map(end(tree, atOnce), (left) => left.length === 0 || undefined)
      )
      assert.strictEqual(group.members().size, 0)
      yield* group.remove
      assert.isFalse(fs.existsSync(group.folder))
    }).pipe(Effect.provide(Trees))
  )

  it.scopedLive(
    "sends SIGTERM also to processes that have left its session and cleared their environment",
    () =>
      Effect.gen(function* () {
        const { group } = yield* own
        const home = yield* temporaryHome
        const [file, said] = [join(home, "pid"), join(home, "said")]
        const leader = yield* processIn(
          group.folder,
          `(env -i setsid /bin/sh -c 'trap "echo asked >${said}; exit" TERM; echo $$ >${file}; while :; do sleep 0.05; done' &); exec sleep 1000000`
        )
        const escaped = yield* pidFrom(file)
        const tree = yield* treeOf(leader, group)
        assert.deepStrictEqual(yield* end(tree, slow), [])
        assert.isFalse(isAlive(escaped))
        assert.strictEqual(fs.readFileSync(said, "utf8"), "asked\n")
      }).pipe(Effect.provide(Trees))
  )

  it.scopedLive("is killed with a process that has moved out of the cgroup, found by its worker id", () =>
    Effect.gen(function* () {
      const { group, unit } = yield* own
      const outside = yield* makeWorkerGroup(join(unit.folder, "outside"), `${unit.path}/outside`)
      const file = join(yield* temporaryHome, "pid")
      const leader = yield* processIn(
        group.folder,
        `(setsid /bin/sh -c 'echo 0 >${outside.entrance}; trap "" TERM; echo $$ >${file}; while :; do sleep 1; done' &); exec sleep 1000000`,
        { [variable]: id }
      )
      const escaped = yield* pidFrom(file)
      const tree = yield* treeOf(leader, group)
      assert.deepStrictEqual(pidsIn(outside.folder).includes(escaped), true)
      assert.deepStrictEqual(yield* end(tree, atOnce), [])
      assert.isFalse(isAlive(escaped))
      assert.strictEqual(outside.members().size, 0)
    }).pipe(Effect.provide(Trees))
  )

  it.scopedLive(
    "is killed and its cgroup removed with the cgroups that it has created below, frozen ones included",
    () =>
      Effect.gen(function* () {
        const { group } = yield* own
        const below = join(group.folder, "own/deep")
        const leader = yield* processIn(
          group.folder,
          `mkdir -p ${below}; trap '' TERM; (echo 0 >${below}/cgroup.procs; echo 1 >${below}/cgroup.freeze; sleep 1000000) & while :; do sleep 1; done`
        )
        yield* eventually(
          "one is frozen below",
          Effect.try(
            () => /frozen 1/.test(fs.readFileSync(join(below, "cgroup.events"), "latin1")) || undefined
          )
        )
        const tree = yield* treeOf(leader, group)
        assert.deepStrictEqual(yield* end(tree, atOnce), [])
        yield* group.remove
        assert.isFalse(fs.existsSync(group.folder))
      }).pipe(Effect.provide(Trees))
  )

  it.scopedLive("reports the exit of its last process, also one before the daemon listened", () =>
    Effect.gen(function* () {
      const { group } = yield* own
      const go = join(yield* temporaryHome, "go")
      yield* processIn(group.folder, `until [ -e ${go} ]; do sleep 0.05; done`)
      const listening = yield* Deferred.make<void>()
      const told = yield* Effect.fork(Effect.zipRight(Deferred.succeed(listening, undefined), group.emptied))
      yield* Deferred.await(listening)
      yield* Effect.yieldNow()
      assert.isNull(yield* Fiber.poll(told).pipe(Effect.map((poll) => (poll._tag === "None" ? null : poll))))
      fs.writeFileSync(go, "")
      yield* Fiber.join(told)
      yield* group.emptied
      yield* group.remove
      yield* group.emptied
      // What is gone needs no second removal.
      yield* group.remove
    })
  )

  it.scopedLive("keeps its cgroup while a process is in it", () =>
    Effect.gen(function* () {
      const { group } = yield* own
      yield* processIn(group.folder, "exec sleep 1000000")
      const refused = yield* Effect.flip(group.remove)
      assert.match(refused.message, /EBUSY/)
      assert.isTrue(fs.existsSync(group.folder))
    })
  )

  it.scopedLive("is never killed as a cgroup while the daemon is in that cgroup", () =>
    Effect.gen(function* () {
      const { group } = yield* own
      const leader = yield* processIn(group.folder, "trap '' TERM; while :; do sleep 1; done")
      let kills = 0
      const withSelf = {
        ...group,
        members: () => new Set([...group.members(), process.pid]),
        kill: Effect.sync(() => void kills++)
      }
      const tree = yield* treeOf(leader, withSelf)
      assert.deepStrictEqual(yield* end(tree, atOnce), [])
      assert.strictEqual(kills, 0)
      assert.isFalse(isAlive(leader))
    }).pipe(Effect.provide(Trees))
  )

  it.scopedLive("enters its cgroup before its first instruction, and starts also where it cannot enter", () =>
    Effect.gen(function* () {
      const { group } = yield* own
      const { start } = yield* WorkerProcess.WorkerProcess
      const said = (entrance: string) =>
        Effect.gen(function* () {
          const worker = yield* start({
            project: "grouped",
            argv: ["/bin/sh", "-c", "grep ^0:: /proc/self/cgroup; echo $#", "sh", "one", "two words"],
            cwd: "/",
            env: { PATH: process.env["PATH"] ?? "" },
            entrance
          })
          const out = yield* Effect.promise(() => worker.stdout.toArray())
          const err = yield* Effect.promise(() => worker.stderr.toArray())
          yield* worker.exit
          return Buffer.concat([...out, ...err]).toString("utf8")
        })
      assert.match(yield* said(group.entrance), /^0::\/autopilotd-test-\w+\/worker\.shop\.0f8fad5b\n2\n$/)
      assert.match(yield* said(join(group.folder, "none/cgroup.procs")), /^0::\S+\n2\n$/)
    }).pipe(Effect.provide(Layer.provide(WorkerProcess.layer, ProcFs.layer)))
  )

  it.scopedLive(
    "left over from an earlier daemon is killed before the next start, found by its cgroup alone",
    () =>
      Effect.gen(function* () {
        const unit = yield* unifiedGroup
        const daemon = yield* processIn(unit.folder, "exec sleep 1000000")
        const events: Array<DaemonEvent> = []
        const leaveBehind = Effect.fnUntraced(function* (name: string) {
          const left = yield* makeWorkerGroup(join(unit.folder, name), `${unit.path}/${name}`)
          return yield* processIn(left.folder, "trap '' TERM; while :; do sleep 1; done")
        })
        const surroundings = Layer.mergeAll(
          heldHome(homeId),
          Layer.succeed(AutopilotHome, pathsBelow("/nonexistent")),
          Layer.succeed(OwnUnit, {
            facts: Effect.succeed(delegated(unit.path))
          }),
          recordedEvents(events)
        )
        const left = [yield* leaveBehind("worker.blog.11111111"), yield* leaveBehind("worker.shop.22222222")]
        yield* Effect.gen(function* () {
          const groups = yield* WorkerGroups.WorkerGroups
          const leftovers = yield* Leftovers.Leftovers
          assert.deepStrictEqual(pidsIn(join(unit.folder, "daemon")), [daemon])
          const fresh = yield* groups.make(shop, id)
          assert.isDefined(fresh)
          const alive = yield* processIn(fresh?.folder ?? "", "exec sleep 1000000")
          yield* leftovers.end(shop, atOnce, () => Effect.void)
          assert.deepStrictEqual(left.filter(isAlive), [])
          assert.deepStrictEqual(yield* groups.earlier(undefined), [])
          assert.deepStrictEqual(
            fs.readdirSync(unit.folder).filter((name) => name.startsWith("worker.")),
            ["worker.shop.0f8fad5b"]
          )
          assert.isTrue(isAlive(alive), "what lives is no leftover")
          assert.isTrue(isAlive(daemon))
          const [told, ...more] = events
          assert.strictEqual(told?._tag, "LeftoversEnded")
          assert.deepStrictEqual(more, [])
        }).pipe(
          Effect.provide(
            Leftovers.layer.pipe(
              Layer.provideMerge(WorkerGroups.layerAt({ proc: "/proc", sys: "/sys", pid: daemon })),
              Layer.provide(Trees),
              Layer.provide(surroundings)
            )
          )
        )
      })
  )
})
