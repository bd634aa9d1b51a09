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
import { isCgroupMember } from "../machine/CgroupMembers.ts"
import { OwnUnit } from "../systemd/OwnUnit.ts"
import { accountMemory, type DelegatedGroup, type GroupSurroundings, takeOver } from "./DelegatedGroup.ts"
import { makeWorkerGroup, refusable, type WorkerGroup, workerGroup } from "./WorkerGroup.ts"

/** The cgroup of the current run of a worker. */
export interface LivingGroup {
  readonly project: ProjectName
  readonly workerId: string
  readonly group: WorkerGroup
}

/**
 * The cgroups of workers, below the cgroup of the daemon's own unit. There are none unless systemd has delegated that to the
 * daemon: write permission alone does not make it ours. No failure here stops a worker.
 */
export class WorkerGroups extends Context.Tag("WorkerGroups")<
  WorkerGroups,
  {
    /** Creates the cgroup for a run. Undefined without delegation, or after a failure, which is reported. */
    readonly make: (project: ProjectName, workerId: string) => Effect.Effect<WorkerGroup | undefined>
    /** Waits up to a second until the worker is in its cgroup; reports if it is not. */
    readonly verify: (workerId: string, pid: number) => Effect.Effect<void>
    /** How a running worker is kept track of, read now; undefined until `verify` has completed. */
    readonly containment: (workerId: string, pid: number) => Containment | undefined
    /** The cgroup of the current run. */
    readonly of: (workerId: string) => WorkerGroup | undefined
    /** The cgroups of all current runs. */
    readonly living: () => ReadonlyArray<LivingGroup>
    /** The pids in them now. */
    readonly members: Effect.Effect<ReadonlyArray<GroupMembers>>
    /** Removes the cgroup of a run that has ended. A failure is reported. */
    readonly end: (workerId: string) => Effect.Effect<void>
    /** The cgroups left by earlier runs of one project, or of all. */
    readonly earlier: (project: ProjectName | undefined) => Effect.Effect<ReadonlyArray<WorkerGroup>>
    /** Removes such a cgroup, which must be empty. */
    readonly remove: (group: WorkerGroup) => Effect.Effect<void>
  }
>() {}

/** Without delegation: processes are found by tree alone. */
export const withoutGroups = WorkerGroups.of({
  make: () => Effect.succeed(undefined),
  verify: () => Effect.void,
  containment: () => "tree",
  of: () => undefined,
  living: () => [],
  members: Effect.succeed([]),
  end: () => Effect.void,
  earlier: () => Effect.succeed([]),
  remove: () => Effect.void
})

/** Limits the time until the first line of a worker has entered its cgroup. */
const joinPatience = Schedule.exponential("1 millis", 1.5).pipe(Schedule.upTo("1 seconds"))

const groupsIn = (delegated: DelegatedGroup, { publish }: DaemonEvents["Type"]) => {
  const lives = new Map<string, LivingGroup & { isVerified: boolean }>()
  const reported = new Set<string>()

  const remove = (group: WorkerGroup) =>
    Effect.catchTag(group.remove, "GroupRefused", ({ reason }) =>
      Effect.suspend(() => {
        // A process may hang in it all night.
        if (reported.has(group.folder)) return Effect.void
        reported.add(group.folder)
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
      const isIn = Effect.sync(() => group.members().has(pid))
      yield* Effect.repeat(isIn, { schedule: joinPatience, until: (isThere) => isThere })
      life.isVerified = true
      if (yield* isIn) return
      yield* publish({ _tag: "WorkerOutsideGroup", project, pid, cgroup: group.folder })
    }),
    containment: (workerId, pid) => {
      const life = lives.get(workerId)
      if (life === undefined) return "tree"
      if (!life.isVerified) return undefined
      return isCgroupMember(life.group.folder, pid) ? "cgroup" : "tree"
    },
    of: (workerId) => lives.get(workerId)?.group,
    living: () => [...lives.values()],
    members: Effect.sync(() =>
      [...lives.values()].map(({ group, workerId }) => ({ workerId, pids: group.members() }))
    ),
    end: (workerId) =>
      Effect.suspend(() => {
        const life = lives.get(workerId)
        lives.delete(workerId)
        return life === undefined ? Effect.void : remove(life.group)
      }),
    earlier: (project) =>
      refusable(delegated.folder, () => readdir(delegated.folder)).pipe(
        // The daemon's own cgroup always exists. After a failure the next start lists it again.
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
    // Without the lock another daemon of this home could take over this one's cgroup.
    yield* InstanceLock
    const events = yield* DaemonEvents
    const facts = yield* (yield* OwnUnit).facts
    if (facts === undefined || !facts.isDelegated) return withoutGroups
    const report = (reason: string, consequence: string) =>
      events.publish({ _tag: "GroupsUnusable", reason, consequence })
    const delegated = yield* takeOver(facts.controlGroup, surroundings).pipe(
      Effect.tapErrorTag("GroupRefused", ({ message }) =>
        report(
          `Workers get no cgroups of their own (${message})`,
          "The daemon finds their processes only by parent, session and environment"
        )
      ),
      Effect.orElseSucceed(() => undefined)
    )
    if (delegated === undefined) return withoutGroups
    yield* Effect.catchTag(accountMemory(delegated), "GroupRefused", ({ message }) =>
      report(
        `Memory is not accounted for the cgroups of workers (${message})`,
        "The daemon adds up the memory of a worker's processes, and the kernel enforces no limit"
      )
    )
    return groupsIn(delegated, events)
  })

/** With other folders and another pid, for tests. */
export const layerAt = (
  surroundings: GroupSurroundings
): Layer.Layer<WorkerGroups, never, InstanceLock | OwnUnit | DaemonEvents> =>
  Layer.effect(WorkerGroups, make(surroundings))

export const layer: Layer.Layer<WorkerGroups, never, InstanceLock | OwnUnit | DaemonEvents> = layerAt({
  proc: "/proc",
  sys: "/sys",
  pid: process.pid
})
