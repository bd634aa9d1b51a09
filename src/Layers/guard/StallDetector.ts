import * as fs from "node:fs/promises"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { AgentSeen } from "../../Domain/agent/AgentSeen.ts"
import { lingeringOf } from "../../Domain/agent/AgentSituation.ts"
import { resetAhead } from "../../Domain/agent/UsageLimitReset.ts"
import {
  type ActivitySample,
  beginDetector,
  describeHalf,
  nextDetector,
  type StallDetector,
  type StallRules,
  stallReason,
  stallSampleMs
} from "../../Domain/guard/StallDetector.ts"
import { stallTimeoutOf } from "../../Domain/guard/StallTimeout.ts"
import { isStill } from "../../Domain/machine/ProcessEntry.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { EffectiveProject } from "../../Domain/settings/EffectiveSettings.ts"
import type { TreeMembers } from "../../Domain/tree/WorkerMemory.ts"
import { nowAndAfterEach } from "../concurrency/Listeners.ts"
import { pollLoop } from "../concurrency/PollLoop.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { errorCode } from "../files/SystemError.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ProcFs } from "../machine/ProcFs.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { LiveWorkers, type WorkerOutput } from "../verdict/LiveWorkers.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { WorkerMemory } from "./WorkerMemory.ts"

/** The state of a worker between two samples. */
interface Watched {
  readonly workerId: string
  readonly detector: StallDetector
}

/** A project with a stall timeout. */
interface Guarded {
  readonly project: ProjectName
  readonly rules: StallRules
  /** Absolute paths. */
  readonly files: ReadonlyArray<string>
}

/** The delay while a worker starts, and after /proc could not be read. */
const soonMs = 1000

const guardedOf = ({ project, settings, worker }: EffectiveProject): ReadonlyArray<Guarded> => {
  const { stallFiles, stallTimeoutMs: set, toolTimeoutMs } = settings.restart
  const stallTimeoutMs = stallTimeoutOf(set, Either.getOrUndefined(worker))
  return stallTimeoutMs === false
    ? []
    : [{ project, files: stallFiles, rules: { stallTimeoutMs, toolTimeoutMs } }]
}

const ifThere = <A>(read: Promise<A>): Promise<A | undefined> =>
  read.catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT" || errorCode(cause) === "ENOTDIR") return undefined
    throw cause
  })

/** For a folder the newest change of its files too: agents write to the same files for hours. */
const stampOf = async (path: string): Promise<string> => {
  const stat = await ifThere(fs.stat(path))
  if (stat === undefined) return "-"
  if (!stat.isDirectory()) return `${stat.mtimeMs} ${stat.size}`
  let newest = 0
  // One after the other: a large folder must not take all threads.
  for (const name of await fs.readdir(path)) {
    newest = Math.max(newest, (await ifThere(fs.stat(`${path}/${name}`)))?.mtimeMs ?? 0)
  }
  return `${stat.mtimeMs} ${newest}`
}

/**
 * A text that changes whenever one of the files or folders changes, appears or vanishes. A file that is unreadable, or
 * on a disk that does not answer, shows no activity, and must not hide that nothing else does.
 */
export const fileStamps = (paths: ReadonlyArray<string>, asker: string): Effect.Effect<string> =>
  Effect.forEach(paths, (path) => {
    const stamp = Effect.orElseSucceed(
      Effect.tryPromise(() => stampOf(path)),
      () => "?"
    )
    return Effect.orElseSucceed(askDisk(asker, path, stamp), () => "?")
  }).pipe(Effect.map((stamps) => stamps.join("\n")))

/** An agent waits for the announced end of its usage limit, or has finished and waits for what it has left. */
const isExcused = (agent: AgentSeen, nowMs: number): boolean => {
  const resetsAtMs = agent.rateLimit?.status === "rejected" ? agent.rateLimit.resetsAtMs : undefined
  return resetAhead(resetsAtMs, nowMs) !== undefined || lingeringOf(agent) !== undefined
}

const make = Effect.gen(function* () {
  const { changed, now: inForce } = yield* SettingsInForce
  const supervisor = yield* Supervisor
  const memory = yield* WorkerMemory
  const proc = yield* ProcFs
  const live = yield* LiveWorkers
  const concerns = yield* Concerns
  const events = yield* DaemonEvents
  const isWanted = yield* Effect.makeLatch(true)
  const watched = new Map<ProjectName, Watched>()

  const sampleOf = Effect.fnUntraced(function* (
    { members }: TreeMembers,
    output: WorkerOutput,
    { files, project }: Guarded
  ) {
    // Not under the project's own name: a silent file here must not keep its worker from starting.
    const stamps = yield* fileStamps(files, `stall_files of ${project}`)
    const cpuMs = new Map<string, number>()
    for (const member of members) {
      const now = yield* proc.process(member.pid)
      if (isStill(member, now)) cpuMs.set(`${now.pid} ${now.startTicks}`, now.cpuMs)
    }
    const agent = output.agent()
    const [tool] = agent.tools
    return {
      atMs: Number(yield* Clock.currentTimeNanos) / 1e6,
      lastOutputMs: Number(output.lastOutputNanos()) / 1e6,
      cpuMs,
      files: stamps,
      isExcused: isExcused(agent, yield* Clock.currentTimeMillis),
      tool: tool?.name
    } satisfies ActivitySample
  })

  /** Samples one worker, and warns or restarts it. */
  const judge = Effect.fnUntraced(function* (tree: TreeMembers, guarded: Guarded) {
    const { project, rules } = guarded
    const { leaderPid, workerId } = tree
    const output = live.of(leaderPid)?.output
    if (output === undefined) return
    const sample = yield* sampleOf(tree, output, guarded)
    // A silent disk has taken its time, and another worker may run by now.
    if (live.of(leaderPid)?.output !== output) return
    const before = watched.get(project)
    if (before?.workerId !== workerId) {
      watched.set(project, { workerId, detector: beginDetector(sample) })
      return
    }
    const { finding, detector } = nextDetector(before.detector, sample, rules)
    watched.set(project, { workerId, detector })
    if (finding === undefined) return
    const { limitMs, quietMs, tool } = finding
    const stall = { quietMs, limitMs, tool }
    if (finding._tag === "half") {
      yield* events.publish({ _tag: "StallFeared", project, text: describeHalf(stall, output.unfinished()) })
      return
    }
    yield* Effect.flatMap(supervisor.project(project), (actor) =>
      actor.restartFor(stallReason(stall), { _tag: "judge" }, { _tag: "Stall", stall })
    ).pipe(
      // The project was removed meanwhile.
      Effect.catchTag("UnknownProject", () => Effect.void)
    )
  })

  /** Samples all guarded workers; returns the delay until the next sample, or undefined if there is none. */
  const check = Effect.gen(function* () {
    const guarded = inForce().projects.flatMap(guardedOf)
    const phases = (yield* supervisor.snapshots)
      .filter(({ plan }) => guarded.some(({ project }) => project === plan.project))
      .map(({ state: { phase } }) => phase._tag)
    if (!phases.includes("Running")) {
      watched.clear()
      return phases.includes("Starting") ? soonMs : undefined
    }
    const trees = yield* memory.sample
    yield* Effect.forEach(
      guarded,
      (one) => {
        const tree = trees.find(({ project }) => project === one.project)
        if (tree !== undefined) return judge(tree, one)
        watched.delete(one.project)
        return Effect.void
      },
      // A disk that does not answer one project delays no other.
      { concurrency: "unbounded", discard: true }
    )
    return Math.min(...guarded.map(({ rules }) => stallSampleMs(rules)))
  }).pipe(Effect.catchTag("ProcUnreadable", () => Effect.succeed(soonMs)))

  const checks = pollLoop(isWanted, check)
  const changes = nowAndAfterEach(changed, isWanted.open)
  yield* events.hear(["WorkerStarted"], () => void isWanted.unsafeOpen())
  yield* concerns.run("stall watch", Effect.all([checks, changes], { concurrency: "unbounded" }))
})

/**
 * Restarts a worker that has done nothing for its `stall_timeout_ms`, and warns after half of that. Without such a setting
 * it takes no samples. Changed settings apply at once.
 */
export const layer: Layer.Layer<
  never,
  never,
  SettingsInForce | Supervisor | WorkerMemory | ProcFs | LiveWorkers | Concerns | DaemonEvents
> = Layer.scopedDiscard(make)
