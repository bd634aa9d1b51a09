import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import { type AgentSeen, afterStop } from "../../Domain/agent/AgentSeen.ts"
import type { ProcessIdentity } from "../../Domain/machine/ProcessEntry.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { openEnded } from "../../Domain/text/TextLayout.ts"
import type { Survivor } from "../../Domain/tree/Survivor.ts"
import type { TreeTrace } from "../../Domain/tree/TreeTrace.ts"
import { isClean, type WorkerExit } from "../../Domain/tree/WorkerExit.ts"
import type { OomKill } from "../../Domain/verdict/OomKill.ts"
import type { RunEvidence } from "../../Domain/verdict/WorkerEnd.ts"
import { variable, workerId } from "../../Domain/WorkerId.ts"
import { lossWarnings } from "../../Domain/worker/LostVariables.ts"
import type { RunPlan, WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import { environmentFrom } from "../../Domain/worker/WorkerEnvironment.ts"
import { patientRace } from "../concurrency/PatientRace.ts"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import type { FileStamps } from "../files/FileStamps.ts"
import { randomUuid } from "../files/RandomId.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import type { ProjectLog } from "../logs/WorkerLog.ts"
import { timeZoneOf } from "../machine/TimeZone.ts"
import { CannotStart } from "../tree/Executable.ts"
import { Leftovers, remainsInterval } from "../tree/Leftovers.ts"
import { makeLeaderFile } from "../tree/SavedTraces.ts"
import { WorkerGroups } from "../tree/WorkerGroups.ts"
import { WorkerProcess } from "../tree/WorkerProcess.ts"
import { endTree, WorkerTree } from "../tree/WorkerTree.ts"
import { KernelOomKills } from "../verdict/KernelOomKills.ts"
import { LiveWorkers } from "../verdict/LiveWorkers.ts"
import { feedAgent, promptText } from "./AgentInput.ts"
import { reportAgent } from "./AgentReports.ts"
import { EnvFile } from "./EnvFile.ts"
import { leftGitLocks } from "./GitLocks.ts"
import { lostVariables } from "./LostVariables.ts"
import { startStamps } from "./StartStamps.ts"

/** The reports of a run, in this order; `onRemains` only for processes that survive SIGKILL. */
interface RunReports {
  readonly onSpawned: (leader: ProcessIdentity) => Effect.Effect<void>
  readonly onExited: (exit: WorkerExit, uptimeMs: number, oomKill: OomKill | undefined) => Effect.Effect<void>
  readonly onRemains: (survivors: ReadonlyArray<Survivor>) => Effect.Effect<void>
  /** What the agent has reported, when that has changed. Only for a worker whose agent is known. */
  readonly onAgent: (agent: AgentSeen) => Effect.Effect<void>
  /** The process tree is verified empty. */
  readonly onGone: Effect.Effect<void>
  /** The process tree is gone, or abandoned, and all output is read. */
  readonly onEvidence: (seen: RunEvidence) => Effect.Effect<void>
}

/** The limits of a stop. */
interface Patience {
  /** The grace period, evaluated when it begins: the settings may have changed since the start. */
  readonly graceMs: Effect.Effect<number>
  /** The longest wait of an agent that has finished, evaluated likewise. */
  readonly lingerMs: Effect.Effect<number>
  /** Completes when the grace period is to end. */
  readonly hasten: Effect.Effect<void>
  /** Completes when the daemon stops and cannot wait for a process that hangs in the kernel. */
  readonly abandon: Effect.Effect<void>
}

/**
 * A run of a worker as one effect: it kills leftovers, starts the worker, and when it returns or is interrupted, the
 * process tree is gone. This makes two workers of one project impossible.
 */
export class WorkerRun extends Context.Tag("WorkerRun")<
  WorkerRun,
  {
    /** Returns a new id for a run of a project's worker. */
    readonly newId: (project: ProjectName) => Effect.Effect<string>
    /** Names the boot for which the pids and start times of processes count. */
    readonly origin: Pick<TreeTrace, "bootId" | "homeId">
    /** Hands over the processes that the saved state of an earlier daemon names. */
    readonly remember: (project: ProjectName, trace: TreeTrace) => Effect.Effect<void>
    /** Kills leftovers where no run follows that would. No worker may start meanwhile. */
    readonly endLeftovers: (
      plan: WorkerPlan,
      hasten: Effect.Effect<void>,
      onRemains: RunReports["onRemains"]
    ) => Effect.Effect<void>
    readonly run: (
      plan: RunPlan,
      id: string,
      log: ProjectLog,
      patience: Patience,
      report: RunReports
    ) => Effect.Effect<void, CannotStart>
  }
>() {}

/** /proc counts a zombie as gone; Node reaps it once a busy event loop gets to it. */
const reapLimit = Duration.seconds(10)

/** A leader that hangs in the kernel is not reaped. */
const abandonedReapLimit = Duration.seconds(1)

/** A worker that crashes in a loop causes one look for git locks in this time, a second. */
const lookDelayMs = 1000

const make = Effect.gen(function* () {
  const home = yield* AutopilotHome
  const { homeId, isLocal } = yield* InstanceLock
  const trees = yield* WorkerTree
  const groups = yield* WorkerGroups
  const leftovers = yield* Leftovers
  const processes = yield* WorkerProcess
  const envFiles = yield* EnvFile
  const events = yield* DaemonEvents
  const kernelOomKills = yield* KernelOomKills
  const liveWorkers = yield* LiveWorkers

  const clock = yield* Effect.clock
  const timer = yield* PlainTimer
  const inBackground = yield* FiberSet.makeRuntime<never>()

  const origin = { bootId: trees.bootId, homeId }
  /** The projects whose repositories this daemon has looked at: an earlier one may have ended with the machine. */
  const looked = new Set<ProjectName>()
  /** The last exit before each look for git locks that is due, in milliseconds since 1970. */
  const lookDue = new Map<ProjectName, number>()
  const lost = lostVariables()
  const own = environmentFrom(process.env)
  const stamps = yield* startStamps

  const environment = Effect.fnUntraced(function* (plan: WorkerPlan, id: string, found: FileStamps) {
    const { mustExist, path } = plan.envFile
    const file = yield* envFiles
      .read(path, { mustExist, asker: plan.project, stamps: found })
      .pipe(Effect.mapError((error) => new CannotStart({ reason: openEnded(error.message) })))
    for (const warning of [
      ...file.warnings,
      ...lossWarnings(lost, { ...file.values, ...plan.envTable }, plan.argv)
    ]) {
      yield* events.publish({ _tag: "EnvFileDoubtful", project: plan.project, warning })
    }
    return {
      env: own.of(file.values, plan.envTable, id, plan.envDefaults),
      secretValues: own.secretValues(file.values, plan.envTable)
    }
  })

  /** Tells in the background which locks git has left: nothing waits for it. */
  const tellGitLocks = ({ cwd, project }: WorkerPlan, env: NodeJS.ProcessEnv): void => {
    const isDue = lookDue.has(project)
    lookDue.set(project, clock.unsafeCurrentTimeMillis())
    if (isDue) return
    const look = Effect.gen(function* () {
      const beforeMs = lookDue.get(project) ?? 0
      lookDue.delete(project)
      for (const path of yield* leftGitLocks(project, cwd, env, beforeMs))
        yield* events.publish({ _tag: "GitLockLeft", project, path })
    }).pipe(
      Effect.catchAllDefect((defect) =>
        Effect.logWarning(`The git locks of ${project} cannot be read`, defect)
      )
    )
    timer.after(lookDelayMs, () => inBackground(look))
  }

  const run = Effect.fnUntraced(function* (
    plan: RunPlan,
    id: string,
    log: ProjectLog,
    { abandon, graceMs, hasten, lingerMs }: Patience,
    report: RunReports
  ) {
    yield* leftovers.end(plan.project, { graceMs: plan.graceMs, hasten }, report.onRemains)
    const found = yield* stamps.now(plan)
    const { env, secretValues } = yield* environment(plan, id, found)
    const prompt = yield* promptText(plan.prompt, plan.project)
    if (!looked.has(plan.project)) tellGitLocks(plan, env)
    looked.add(plan.project)
    const mark = `${variable}=${id}`
    const watched = Effect.gen(function* () {
      const group = yield* groups.make(plan.project, id)
      return { group, oomKills: yield* kernelOomKills.watch(group?.folder) }
    })
    const started = ({ group, oomKills }: Effect.Effect.Success<typeof watched>) =>
      Effect.gen(function* () {
        const worker = yield* processes.start({
          project: plan.project,
          argv: plan.argv,
          cwd: plan.cwd,
          env,
          entrance: group?.entrance,
          stamps: found,
          isFed: prompt !== undefined,
          trace: yield* makeLeaderFile(home, plan.project, origin, isLocal)
        })
        const tree = yield* trees.of(worker.pid, mark, group)
        let reported: WorkerExit | undefined
        const reportExit = (wasAsked: boolean) =>
          Effect.flatMap(worker.exit, ({ exit, uptimeMs }) =>
            Effect.suspend(() => {
              if (reported !== undefined) return Effect.void
              reported = exit
              return Effect.flatMap(oomKills.verdict(exit, wasAsked), (oomKill) =>
                report.onExited(exit, uptimeMs, oomKill)
              )
            }).pipe(Effect.uninterruptible)
          )
        const capture = yield* log.capture(worker, secretValues)
        liveWorkers.add(worker.pid, capture)
        // A stop cannot come between the start and its report: each worker that has run is reported as started.
        yield* report.onSpawned(tree.leader)
        return { worker, tree, reportExit, capture, exited: () => reported }
      })
    const ended = ({
      capture,
      exited,
      reportExit,
      tree,
      worker
    }: Effect.Effect.Success<ReturnType<typeof started>>) =>
      Effect.gen(function* () {
        const atStop = exited() === undefined ? capture.agent() : undefined
        const ending = { graceMs: yield* graceMs, hasten }
        const pause = patientRace([Effect.as(Effect.sleep(remainsInterval), true), Effect.as(abandon, false)])
        const isGone = yield* endTree(trees, tree, ending, report.onRemains, pause)
        if (isGone) {
          yield* leftovers.areGone(plan.project)
          stamps.askAhead(plan)
          yield* report.onGone
        }
        // Node knows the exit once it has reaped the leader.
        if (exited() === undefined)
          yield* patientRace([reportExit(true), Effect.sleep(isGone ? reapLimit : abandonedReapLimit)])
        yield* capture.finish
        yield* report.onEvidence({
          agent: atStop === undefined ? capture.agent() : afterStop(atStop, capture.agent()),
          tail: yield* capture.tail,
          peakMemoryBytes: liveWorkers.of(worker.pid)?.memory?.peakBytes,
          nowMs: clock.unsafeCurrentTimeMillis(),
          timeZone: yield* timeZoneOf(env["TZ"])
        })
        liveWorkers.remove(worker.pid)
        // A worker that has exited with success had time to end its git.
        const locksAfter = (exit: WorkerExit) => isClean(exit) || tellGitLocks(plan, env)
        const exit = exited()
        if (exit === undefined) inBackground(Effect.map(worker.exit, (late) => locksAfter(late.exit)))
        else locksAfter(exit)
      })
    // A scope compares all fiber references at each of its finalizers, a third of a millisecond: here is one only for fibers.
    yield* Effect.acquireUseRelease(
      watched,
      ({ group, oomKills }) =>
        Effect.acquireUseRelease(
          started({ group, oomKills }),
          ({ capture, reportExit, worker: { pid, stdin } }) => {
            const beside = [
              ...(group === undefined ? [] : [groups.verify(id, pid)]),
              ...(prompt === undefined || stdin === undefined ? [] : [feedAgent(stdin, prompt, capture)]),
              ...(plan.agent === undefined ? [] : [reportAgent(capture, lingerMs, report.onAgent)])
            ]
            const exited = Effect.zipRight(oomKills.begin(pid), reportExit(false))
            if (beside.length === 0) return exited
            const forked = Effect.forEach(beside, (act) => Effect.forkScoped(act), { discard: true })
            return Effect.scoped(Effect.zipRight(forked, exited))
          },
          ended
        ),
      // Last, when all output is read.
      ({ oomKills }) => Effect.zipRight(oomKills.end, groups.end(id))
    )
  })

  return WorkerRun.of({
    newId: (project) => Effect.sync(() => workerId(homeId, project, randomUuid())),
    origin,
    remember: leftovers.remember,
    endLeftovers: ({ graceMs, project }, hasten, onRemains) =>
      leftovers.end(project, { graceMs, hasten }, onRemains),
    run: (plan, id, log, patience, report) => Effect.interruptible(run(plan, id, log, patience, report))
  })
})

export const layer: Layer.Layer<
  WorkerRun,
  never,
  | AutopilotHome
  | InstanceLock
  | Leftovers
  | WorkerGroups
  | WorkerTree
  | WorkerProcess
  | EnvFile
  | DaemonEvents
  | KernelOomKills
  | LiveWorkers
> = Layer.scoped(WorkerRun, make)
