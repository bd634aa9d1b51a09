import { readdir } from "node:fs/promises"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { GroupMembers } from "../../Domain/machine/ProcessFacts.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { type Containment, groupName, projectOfGroup } from "../../Domain/tree/WorkerGroup.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { OwnUnit } from "../systemd/OwnUnit.ts"
import { accountMemory, type DelegatedGroup, type GroupSurroundings, takeOver } from "./DelegatedGroup.ts"
import { makeWorkerGroup, refusable, type WorkerGroup, workerGroup } from "./WorkerGroup.ts"

/** The group of a worker that lives. */
export interface LivingGroup {
  readonly project: ProjectName
  readonly workerId: string
  readonly group: WorkerGroup
}

/**
 * The cgroups of workers, below the group of the daemon's own unit. There are none unless systemd has delegated that
 * group to the daemon: a group that can be written is not for that reason ours. Nothing here fails a worker.
 */
export class WorkerGroups extends Context.Tag("WorkerGroups")<
  WorkerGroups,
  {
    /** The group for a life that begins. Undefined where there are none, or where it cannot be made, which is told. */
    readonly make: (project: ProjectName, workerId: string) => Effect.Effect<WorkerGroup | undefined>
    /** Waits until the worker is in its group, a second at most; when it is not, that is told. */
    readonly verify: (workerId: string, pid: number) => Effect.Effect<void>
    /** Of a worker that runs, looked up now; undefined in the moment before `verify` knows. */
    readonly containment: (workerId: string, pid: number) => Effect.Effect<Containment | undefined>
    /** The group of a worker that lives. */
    readonly of: (workerId: string) => WorkerGroup | undefined
    /** Those of all workers that live. */
    readonly living: () => ReadonlyArray<LivingGroup>
    /** Who is in them at this moment. */
    readonly members: Effect.Effect<ReadonlyArray<GroupMembers>>
    /** The life is over and nobody is left in it. One that cannot be removed is left, and told. */
    readonly end: (workerId: string) => Effect.Effect<void>
    /** The groups that earlier lives have left, of one project or of all. */
    readonly earlier: (project: ProjectName | undefined) => Effect.Effect<ReadonlyArray<WorkerGroup>>
    /** Removes such a group, in which nobody is left. */
    readonly remove: (group: WorkerGroup) => Effect.Effect<void>
  }
>() {}

/** Where the daemon has no groups to give: everything is done by the tree of processes, and nothing here costs. */
export const withoutGroups = WorkerGroups.of({
  make: () => Effect.succeed(undefined),
  verify: () => Effect.void,
  containment: () => Effect.succeed("tree"),
  of: () => undefined,
  living: () => [],
  members: Effect.succeed([]),
  end: () => Effect.void,
  earlier: () => Effect.succeed([]),
  remove: () => Effect.void
})

/** How long the first line of a worker may take to get into its group. */
const joinPatience = Schedule.exponential("1 millis", 1.5).pipe(Schedule.upTo("1 seconds"))

const groupsIn = (delegated: DelegatedGroup, { publish }: DaemonEvents["Type"]) => {
  const lives = new Map<string, LivingGroup & { isVerified: boolean }>()
  const told = new Set<string>()

  const remove = (group: WorkerGroup) =>
    Effect.catchTag(group.remove, "GroupRefused", ({ reason }) =>
      Effect.suspend(() => {
        // It may hang in the kernel all night.
        if (told.has(group.folder)) return Effect.void
        told.add(group.folder)
        return publish({ _tag: "GroupNotRemoved", cgroup: group.folder, reason })
      })
    )

  const placeOf = (name: string) =>
    [join(delegated.folder, name), `${delegated.path.replace(/\/$/, "")}/${name}`] as const

  return WorkerGroups.of({
    make: (project, workerId) =>
      makeWorkerGroup(...placeOf(groupName(project, workerId))).pipe(
        Effect.tap((group) =>
          Effect.sync(() => lives.set(workerId, { project, workerId, group, isVerified: false }))
        ),
        Effect.catchTag("GroupRefused", ({ message }) =>
          Effect.as(publish({ _tag: "GroupNotMade", project, reason: message }), undefined)
        )
      ),
    verify: Effect.fnUntraced(function* (workerId, pid) {
      const life = lives.get(workerId)
      if (life === undefined) return
      const { group, project } = life
      const isIn = Effect.map(group.members, (members) => members.has(pid))
      yield* Effect.repeat(isIn, { schedule: joinPatience, until: (isThere) => isThere })
      life.isVerified = true
      if (yield* isIn) return
      yield* publish({ _tag: "WorkerOutsideGroup", project, pid, cgroup: group.folder })
    }),
    containment: Effect.fnUntraced(function* (workerId, pid) {
      const life = lives.get(workerId)
      if (life === undefined) return "tree"
      if (!life.isVerified) return undefined
      return (yield* life.group.members).has(pid) ? "cgroup" : "tree"
    }),
    of: (workerId) => lives.get(workerId)?.group,
    living: () => [...lives.values()],
    members: Effect.suspend(() =>
      Effect.forEach([...lives.values()], ({ group, workerId }) =>
        Effect.map(group.members, (pids) => ({ workerId, pids }))
      )
    ),
    end: (workerId) =>
      Effect.suspend(() => {
        const life = lives.get(workerId)
        lives.delete(workerId)
        return life === undefined ? Effect.void : remove(life.group)
      }),
    earlier: (project) =>
      refusable(delegated.folder, () => readdir(delegated.folder)).pipe(
        // The daemon's own group cannot go away; what cannot be listed at the moment is ended before the next start.
        Effect.orElseSucceed(() => []),
        Effect.map((names) => {
          const present = new Set([...lives.values()].map(({ group }) => group.folder))
          return names
            .filter((name) => {
              const owner = projectOfGroup(name)
              return owner !== undefined && (project === undefined || owner === project)
            })
            .map((name) => workerGroup(...placeOf(name)))
            .filter(({ folder }) => !present.has(folder))
        })
      ),
    remove
  })
}

const make = (surroundings: GroupSurroundings) =>
  Effect.gen(function* () {
    // Another daemon of this home would move itself out from under this one's workers.
    yield* InstanceLock
    const events = yield* DaemonEvents
    const facts = yield* (yield* OwnUnit).facts
    if (facts === undefined || !facts.isDelegated) return withoutGroups
    const tell = (reason: string, consequence: string) =>
      events.publish({ _tag: "GroupsUnusable", reason, consequence })
    const delegated = yield* takeOver(facts.controlGroup, surroundings).pipe(
      Effect.tapErrorTag("GroupRefused", ({ message }) =>
        tell(
          `Workers get no cgroups of their own (${message})`,
          "Their processes are found by their descent and their environment alone"
        )
      ),
      Effect.orElseSucceed(() => undefined)
    )
    if (delegated === undefined) return withoutGroups
    yield* Effect.catchTag(accountMemory(delegated), "GroupRefused", ({ message }) =>
      tell(
        `Memory is not accounted for the cgroups of workers (${message})`,
        "What a worker holds is added up from its processes, and the kernel sets it no limit"
      )
    )
    return groupsIn(delegated, events)
  })

/** With other files of the kernel, or for another process, as tests do. */
export const layerAt = (
  surroundings: GroupSurroundings
): Layer.Layer<WorkerGroups, never, InstanceLock | OwnUnit | DaemonEvents> =>
  Layer.effect(WorkerGroups, make(surroundings))

export const layer: Layer.Layer<WorkerGroups, never, InstanceLock | OwnUnit | DaemonEvents> = layerAt({
  proc: "/proc",
  sys: "/sys",
  pid: process.pid
})
