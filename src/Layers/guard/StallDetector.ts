import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { resetFigureMs } from "../../Domain/agent/UsageLimitReset.ts"
import {
  type ActivitySample,
  beginDetector,
  describeHalf,
  nextDetector,
  type StallDetector,
  type StallRules,
  stallLookMs,
  stallReason
} from "../../Domain/guard/StallDetector.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { EffectiveProject } from "../../Domain/settings/EffectiveSettings.ts"
import type { TreeMembers } from "../../Domain/tree/WorkerMemory.ts"
import { pollLoop } from "../concurrency/PollLoop.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ProcessActivity } from "../machine/ProcessActivity.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { LiveWorkers, type WorkerOutput } from "../verdict/LiveWorkers.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { WorkerMemory } from "./WorkerMemory.ts"

/** What is remembered of a worker from one look to the next. */
interface Watched {
  readonly workerId: string
  readonly watch: StallDetector
}

/** A project whose worker may be ended because it does nothing. */
interface Guarded {
  readonly project: ProjectName
  readonly rules: StallRules
  /** Absolute. */
  readonly files: ReadonlyArray<string>
}

/** A worker that is being started is no worker to be looked at yet, and /proc that could not be read is read again. */
const soonMs = 1000

const guardedOf = ({ project, settings }: EffectiveProject): ReadonlyArray<Guarded> => {
  const { stallFiles, stallTimeoutMs, toolTimeoutMs } = settings.restart
  return stallTimeoutMs === false
    ? []
    : [{ project, files: stallFiles, rules: { stallTimeoutMs, toolTimeoutMs } }]
}

const make = Effect.gen(function* () {
  const { current } = yield* SettingsInForce
  const supervisor = yield* Supervisor
  const memory = yield* WorkerMemory
  const activity = yield* ProcessActivity
  const live = yield* LiveWorkers
  const concerns = yield* Concerns
  const events = yield* DaemonEvents
  const isWanted = yield* Effect.makeLatch(true)
  const watched = new Map<ProjectName, Watched>()

  const sampleOf = Effect.fnUntraced(function* (
    { members }: TreeMembers,
    output: WorkerOutput,
    files: ReadonlyArray<string>
  ) {
    const used = yield* activity.cpuMs(members.map(({ pid }) => pid))
    const agent = output.agent()
    const resetsAtMs = agent.rateLimit?.status === "rejected" ? agent.rateLimit.resetsAtMs : undefined
    const [tool] = agent.tools
    return {
      atMs: Number(yield* Clock.currentTimeNanos) / 1e6,
      lastOutputMs: Number(output.lastOutputNanos()) / 1e6,
      cpuMs: new Map(
        members.map(({ pid, startTicks }) => [`${pid} ${startTicks}`, used.get(pid) ?? 0] as const)
      ),
      files: yield* activity.files(files),
      isExcused: resetFigureMs(resetsAtMs, yield* Clock.currentTimeMillis) !== undefined,
      tool: tool?.name
    } satisfies ActivitySample
  })

  /** Looks at one worker and does what follows. */
  const judge = Effect.fnUntraced(function* (tree: TreeMembers, { files, project, rules }: Guarded) {
    const { leaderPid, workerId } = tree
    const output = live.of(leaderPid)?.output
    if (output === undefined) return
    const sample = yield* sampleOf(tree, output, files)
    const before = watched.get(project)
    if (before?.workerId !== workerId) {
      watched.set(project, { workerId, watch: beginDetector(sample) })
      return
    }
    const { news, watch } = nextDetector(before.watch, sample, rules)
    watched.set(project, { workerId, watch })
    if (news === undefined) return
    const { limitMs, quietMs, tool } = news
    const stall = { quietMs, limitMs, tool }
    if (news._tag === "half") {
      yield* events.publish({ _tag: "StallFeared", project, text: describeHalf(stall) })
      return
    }
    yield* Effect.flatMap(supervisor.project(project), (actor) =>
      actor.restartFor(stallReason(stall), { _tag: "judge" }, { _tag: "Stall", stall })
    ).pipe(
      // A project that is being removed has no worker to restart.
      Effect.catchTag("UnknownProject", () => Effect.void)
    )
  })

  /** Looks at all workers that are watched; returns how long they may be left alone, undefined where there is none. */
  const look = Effect.gen(function* () {
    const guarded = (yield* SubscriptionRef.get(current)).projects.flatMap(guardedOf)
    const phases = (yield* supervisor.snapshots)
      .filter(({ plan }) => guarded.some(({ project }) => project === plan.project))
      .map(({ state: { phase } }) => phase._tag)
    if (!phases.includes("Running")) {
      watched.clear()
      return phases.includes("Starting") ? soonMs : undefined
    }
    const trees = yield* memory.look
    for (const one of guarded) {
      const tree = trees.find(({ project }) => project === one.project)
      if (tree === undefined) watched.delete(one.project)
      else yield* judge(tree, one)
    }
    return Math.min(...guarded.map(({ rules }) => stallLookMs(rules)))
  }).pipe(Effect.catchTag("ProcUnreadable", () => Effect.succeed(soonMs)))

  const looks = pollLoop(isWanted, look)
  const changes = Stream.runForEach(current.changes, () => isWanted.open)
  const starts = events.changes.pipe(
    Stream.filter(({ _tag }) => _tag === "WorkerStarted"),
    Stream.runForEach(() => isWanted.open)
  )
  yield* concerns.run("stall watch", Effect.all([looks, changes, starts], { concurrency: "unbounded" }))
})

/**
 * Ends a worker that does nothing for longer than its settings allow, and warns at half of that. While none has such a
 * setting, this does nothing. Settings that change hold at once.
 */
export const layer: Layer.Layer<
  never,
  never,
  SettingsInForce | Supervisor | WorkerMemory | ProcessActivity | LiveWorkers | Concerns | DaemonEvents
> = Layer.scopedDiscard(make)
