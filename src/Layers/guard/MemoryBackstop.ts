import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { backstops } from "../../Domain/guard/WorkerLimit.ts"
import { nowAndAfterEach } from "../concurrency/Listeners.ts"
import { pollLoop } from "../concurrency/PollLoop.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import type { WorkerGroup } from "../tree/WorkerGroup.ts"
import { type LivingGroup, WorkerGroups } from "../tree/WorkerGroups.ts"

const make = Effect.gen(function* () {
  const { changed, now: inForce } = yield* SettingsInForce
  const groups = yield* WorkerGroups
  const concerns = yield* Concerns
  const events = yield* DaemonEvents
  const isWanted = yield* Effect.makeLatch(true)
  const set = new WeakMap<WorkerGroup, number>()
  let isRefused = false

  const apply = Effect.fnUntraced(function* ({ group }: LivingGroup, wanted: number | undefined) {
    // Without worker_limit_bytes the daemon writes nothing.
    if (set.get(group) === wanted) return
    const memory = group.memory()
    if (memory === undefined) return
    // The kernel would kill at once. The daemon is about to restart this worker, with its grace period.
    if (wanted !== undefined && memory.residentBytes > wanted) return
    yield* group.limit(wanted)
    if (wanted === undefined) set.delete(group)
    else set.set(group, wanted)
  })

  const applyAll = Effect.gen(function* () {
    const living = groups.living()
    if (living.length === 0) return
    const wanted = backstops(inForce())
    for (const life of living) {
      yield* Effect.catchTag(apply(life, wanted.get(life.project)), "GroupRefused", ({ message }) => {
        // The cgroup of a worker that has just exited is gone.
        if (isRefused || groups.of(life.workerId) === undefined) return Effect.void
        isRefused = true
        return events.publish({
          _tag: "GroupsUnusable",
          reason: `The kernel rejected the memory limit of a worker (${message})`,
          consequence: "Only the daemon enforces memory.worker_limit_bytes"
        })
      })
    }
  })

  const checks = pollLoop(isWanted, Effect.as(applyAll, undefined))
  const changes = nowAndAfterEach(changed, isWanted.open)
  yield* events.hear(["WorkerStarted"], () => void (groups.living().length > 0 && isWanted.unsafeOpen()))
  yield* concerns.run("memory backstop", Effect.all([checks, changes], { concurrency: "unbounded" }))
})

/**
 * Sets `memory.max` of each worker with a `worker_limit_bytes` to a quarter above that, for a worker that grows faster
 * than the daemon samples. Only for cgroups that account memory. Changed settings apply at once.
 */
export const layer: Layer.Layer<never, never, SettingsInForce | WorkerGroups | Concerns | DaemonEvents> =
  Layer.scopedDiscard(make)
