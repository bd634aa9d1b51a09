import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProjectName } from "../../Domain/Project.ts"
import type { TreeTrace } from "../../Domain/tree/TreeTrace.ts"
import { entryPrefix } from "../../Domain/WorkerId.ts"
import { type Mutex, makeMutex } from "../concurrency/Mutex.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { savedTraces } from "./SavedTraces.ts"
import { WorkerGroups } from "./WorkerGroups.ts"
import { type Ending, endTree, type OnRemains, WorkerTree } from "./WorkerTree.ts"

/**
 * Ends the leftovers of earlier runs before a new worker starts: processes of a daemon that was killed, and processes that
 * had escaped from a tree but have its mark or are in its cgroup.
 */
export class Leftovers extends Context.Tag("Leftovers")<
  Leftovers,
  {
    /** Hands over the processes that the saved state of an earlier daemon names: the next sweep begins with them. */
    readonly remember: (project: ProjectName, trace: TreeTrace) => Effect.Effect<void>
    /**
     * Completes when nothing is left, however long that takes. The first call covers the whole home, later ones the
     * project. `onRemains` receives the processes that survive SIGKILL. Never completes when another daemon has the
     * home. An interruption waits until each of them was sent SIGKILL.
     */
    readonly end: (project: ProjectName, ending: Ending, onRemains: OnRemains) => Effect.Effect<void>
    /** Records that the project's tree was verified empty just now, which makes a sweep unnecessary. */
    readonly areGone: (project: ProjectName) => Effect.Effect<void>
  }
>() {}

/** The interval of attempts while a process hangs in the kernel. */
export const remainsInterval = Duration.seconds(1)

/** Within this time no process can have appeared that two scans have not found. */
const freshNanos = Duration.unsafeToNanos(Duration.seconds(1))

const make = Effect.gen(function* () {
  const home = yield* AutopilotHome
  const { holds, homeId, isLost } = yield* InstanceLock
  const trees = yield* WorkerTree
  const groups = yield* WorkerGroups
  const events = yield* DaemonEvents
  const clock = yield* Effect.clock
  const inHomeTurn = makeMutex()
  const goneNanos = new Map<ProjectName, bigint>()
  /** The projects of which a process may have started since their tree was verified empty. */
  const begun = new Set<ProjectName>()
  const turns = new Map<ProjectName, Mutex>()
  const traces = new Map<ProjectName, TreeTrace>()
  let homeGoneNanos: bigint | undefined

  /** Covers one project, or the whole home. */
  const sweep = Effect.fnUntraced(function* (
    project: ProjectName | undefined,
    ending: Ending,
    onRemains: OnRemains
  ) {
    const left = yield* groups.earlier(project)
    const mark = entryPrefix(homeId, project)
    const named = [...traces].filter(([name]) => project === undefined || name === project)
    // A killed daemon may have had projects that the settings no longer have.
    const onDisk = project === undefined ? yield* savedTraces(home) : []
    const earlier = [...named.map(([, trace]) => trace), ...onDisk].flatMap((trace) =>
      trace.bootId === trees.bootId && trace.homeId === homeId ? trace.processes : []
    )
    const tree = { leader: undefined, mark, groups: left, earlier, seen: new Map<number, number>() }
    const pause = Effect.interruptible(Effect.sleep(remainsInterval))
    yield* endTree(trees, tree, ending, onRemains, Effect.as(pause, true))
    for (const [name] of named) traces.delete(name)
    yield* Effect.forEach(left, groups.remove, { discard: true })
    const pids = [...tree.seen.keys()]
    if (pids.length > 0) yield* events.publish({ _tag: "LeftoversEnded", pids })
  })

  /** All projects wait for this sweep; later ones delay only their own project. */
  const sweepHome = (ending: Ending, onRemains: OnRemains) =>
    inHomeTurn(
      Effect.suspend(() =>
        homeGoneNanos === undefined
          ? sweep(undefined, ending, onRemains).pipe(
              Effect.map(() => void (homeGoneNanos = clock.unsafeCurrentTimeNanos()))
            )
          : Effect.void
      )
    )

  /** Sweeps of a project run one after the other: a late one could otherwise end the next worker. */
  const inTurn = (project: ProjectName) => {
    const own = turns.get(project) ?? makeMutex()
    turns.set(project, own)
    return own
  }

  /** Whether no process of the project can be left. */
  const isSwept = (project: ProjectName): boolean => {
    const seen = goneNanos.get(project) ?? homeGoneNanos
    const isFresh = seen !== undefined && clock.unsafeCurrentTimeNanos() - seen < freshNanos
    return isFresh && homeGoneNanos !== undefined && !traces.has(project) && !begun.has(project)
  }

  const swept = (project: ProjectName, ending: Ending, onRemains: OnRemains) =>
    Effect.gen(function* () {
      // In a home that another daemon has taken, these may be the workers of that one. This daemon stops soon.
      if (!(yield* holds)) return yield* Effect.interruptible(Effect.never)
      yield* sweepHome(ending, onRemains)
      if (!isSwept(project)) yield* sweep(project, ending, onRemains)
      begun.add(project)
    }).pipe(
      inTurn(project),
      // A stop that comes before the sweep has found anything must not leave it undone.
      Effect.uninterruptible
    )

  return Leftovers.of({
    remember: (project, trace) => Effect.sync(() => void traces.set(project, trace)),
    // The id of the run that follows was saved just now, which has asked whether the home is lost.
    end: (project, ending, onRemains) =>
      Effect.flatMap(isLost, (isLostNow) => {
        if (isLostNow || !isSwept(project)) return swept(project, ending, onRemains)
        begun.add(project)
        return Effect.void
      }),
    areGone: (project) =>
      Effect.sync(() => {
        goneNanos.set(project, clock.unsafeCurrentTimeNanos())
        begun.delete(project)
      })
  })
})

export const layer: Layer.Layer<
  Leftovers,
  never,
  AutopilotHome | InstanceLock | WorkerTree | WorkerGroups | DaemonEvents
> = Layer.effect(Leftovers, make)
