import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProjectName } from "../../Domain/Project.ts"
import { entryPrefix } from "../../Domain/WorkerId.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { WorkerGroups } from "./WorkerGroups.ts"
import { type Ending, endTree, type OnRemains, WorkerTree } from "./WorkerTree.ts"

/**
 * What earlier workers have left: of a daemon that was killed, or what escaped its tree and is found by its mark or in
 * its cgroup. It is ended before a new worker starts.
 */
export class Leftovers extends Context.Tag("Leftovers")<
  Leftovers,
  {
    /**
     * Returns when nothing is left, however long that takes: the first time of this home, of all its projects, later
     * of this one. `onRemains` is told who cannot be ended.
     */
    readonly end: (project: ProjectName, ending: Ending, onRemains: OnRemains) => Effect.Effect<void>
    /** The project's last tree was seen empty just now: looking again at once would only cost time. */
    readonly areGone: (project: ProjectName) => Effect.Effect<void>
  }
>() {}

/** How often a process that hangs in the kernel is looked at again. */
export const remainsInterval = Duration.seconds(1)

/** For this long nothing can have turned up that two scans have not seen. */
const freshNanos = Duration.unsafeToNanos(Duration.seconds(1))

const make = Effect.gen(function* () {
  const { homeId } = yield* InstanceLock
  const trees = yield* WorkerTree
  const groups = yield* WorkerGroups
  const events = yield* DaemonEvents
  const turn = yield* Effect.makeSemaphore(1)
  const goneNanos = new Map<ProjectName, bigint>()
  const turns = new Map<ProjectName, Effect.Semaphore>()
  let homeGoneNanos: bigint | undefined

  /** Of one project, or of the whole home. */
  const sweep = Effect.fnUntraced(function* (
    project: ProjectName | undefined,
    ending: Ending,
    onRemains: OnRemains
  ) {
    const left = yield* groups.earlier(project)
    const mark = entryPrefix(homeId, project)
    const tree = { leader: undefined, mark, groups: left, seen: new Map<number, number>() }
    yield* endTree(trees, tree, ending, onRemains, Effect.as(Effect.sleep(remainsInterval), true))
    yield* Effect.forEach(left, groups.remove, { discard: true })
    const pids = [...tree.seen.keys()]
    if (pids.length > 0) yield* events.publish({ _tag: "LeftoversEnded", pids })
  })

  /** Everyone waits for it; one project's own leftovers hold up nobody else. */
  const sweepHome = (ending: Ending, onRemains: OnRemains) =>
    turn.withPermits(1)(
      Effect.suspend(() =>
        homeGoneNanos === undefined
          ? sweep(undefined, ending, onRemains).pipe(
              Effect.zipRight(Clock.currentTimeNanos),
              Effect.map((now) => void (homeGoneNanos = now))
            )
          : Effect.void
      )
    )

  /** One sweep of a project after the other: the end of one could else hit what is started after the next. */
  const inTurn = (project: ProjectName) => {
    const own = turns.get(project) ?? Effect.unsafeMakeSemaphore(1)
    turns.set(project, own)
    return own.withPermits(1)
  }

  return Leftovers.of({
    end: (project, ending, onRemains) =>
      Effect.gen(function* () {
        yield* sweepHome(ending, onRemains)
        const seen = goneNanos.get(project) ?? homeGoneNanos
        if (seen !== undefined && (yield* Clock.currentTimeNanos) - seen < freshNanos) return
        yield* sweep(project, ending, onRemains)
      }).pipe(inTurn(project)),
    areGone: (project) =>
      Effect.map(Clock.currentTimeNanos, (now) => {
        goneNanos.set(project, now)
      })
  })
})

export const layer: Layer.Layer<Leftovers, never, InstanceLock | WorkerTree | WorkerGroups | DaemonEvents> =
  Layer.effect(Leftovers, make)
