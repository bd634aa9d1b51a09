import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { backstops } from "../../Domain/guard/WorkerLimit.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import type { WorkerGroup } from "../tree/WorkerGroup.ts"
import { type LivingGroup, WorkerGroups } from "../tree/WorkerGroups.ts"

const make = Effect.gen(function* () {
  const { current } = yield* SettingsInForce
  const groups = yield* WorkerGroups
  const concerns = yield* Concerns
  const events = yield* DaemonEvents
  const turn = yield* Effect.makeSemaphore(1)
  const set = new WeakMap<WorkerGroup, number>()
  let isRefused = false

  const apply = Effect.fnUntraced(function* ({ group }: LivingGroup, wanted: number | undefined) {
    // Without a limit nothing is ever written.
    if (set.get(group) === wanted) return
    const memory = group.memory()
    if (memory === undefined) return
    // The kernel would kill at once. The daemon is about to restart this worker, and lets it end by itself.
    if (wanted !== undefined && memory.residentBytes > wanted) return
    yield* group.limit(wanted)
    if (wanted === undefined) set.delete(group)
    else set.set(group, wanted)
  })

  const applyAll = Effect.gen(function* () {
    const living = groups.living()
    if (living.length === 0) return
    const wanted = backstops(yield* SubscriptionRef.get(current))
    for (const life of living) {
      yield* Effect.catchTag(apply(life, wanted.get(life.project)), "GroupRefused", ({ message }) => {
        // One whose worker has just ended is gone.
        if (isRefused || groups.of(life.workerId) === undefined) return Effect.void
        isRefused = true
        return events.publish({
          _tag: "GroupsUnusable",
          reason: `The kernel takes no limit for a worker (${message})`,
          consequence: "memory.worker_limit_bytes is kept by the daemon alone"
        })
      })
    }
  }).pipe(turn.withPermits(1))

  const changes = Stream.runForEach(current.changes, () => applyAll)
  const starts = events.changes.pipe(
    Stream.filter(({ _tag }) => _tag === "WorkerStarted"),
    Stream.runForEach(() => applyAll)
  )
  yield* concerns.run("memory backstop", Effect.all([changes, starts], { concurrency: "unbounded" }))
})

/**
 * Has the kernel keep workers with a `worker_limit_bytes` below a quarter more than that, should one outgrow it faster
 * than the daemon looks. Only where workers have cgroups that account memory; settings that change hold at once.
 */
export const layer: Layer.Layer<never, never, SettingsInForce | WorkerGroups | Concerns | DaemonEvents> =
  Layer.scopedDiscard(make)
