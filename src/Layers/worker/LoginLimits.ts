import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { waitOf } from "../../Domain/agent/AgentSituation.ts"
import { isMidTool } from "../../Domain/agent/AgentTools.ts"
import { resetAhead } from "../../Domain/agent/UsageLimitReset.ts"
import {
  type LimitAction,
  type LimitEvent,
  type LoginLimit,
  type MetLimit,
  noLimit,
  stepLimit
} from "../../Domain/login/LoginLimit.ts"
import { describeWait } from "../../Domain/login/LoginWords.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { AgentRun } from "../../Domain/session/AgentRun.ts"
import { isOfOneModel } from "../../Domain/verdict/CauseWait.ts"
import type { Verdict } from "../../Domain/verdict/ExitVerdict.ts"
import type { ProjectPlan } from "../../Domain/worker/ProjectPlan.ts"
import type { HeldStart, PublishedEvent, WorkerEvent } from "../../Domain/worker/WorkerEvent.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { localZone } from "../machine/TimeZone.ts"
import { Logins } from "./Logins.ts"

/** The usage limit of the worker's login holds its start. */
export class StartHeld extends Data.TaggedError("StartHeld")<HeldStart> {}

/** The part of one project in the usage limit of its login. */
export interface LoginPart {
  /** Fails while the login holds the start of a run with this plan. */
  readonly mayStart: (plan: ProjectPlan, byUser: boolean) => Effect.Effect<void, StartHeld>
  /** Passes on the reports of runs, and reads those of the agent. */
  readonly report: (event: WorkerEvent) => Effect.Effect<void>
  /** Reads the events of the worker. */
  readonly hear: (event: PublishedEvent) => Effect.Effect<void>
}

const awaited = { Limit: "login", Probe: "probe", Window: "time" } as const

interface Member {
  readonly planNow: () => ProjectPlan
  readonly report: (event: WorkerEvent) => Effect.Effect<void>
  /** The login of its last start; undefined before the first one, and where it has none. */
  login: string | undefined
}

/** The finished answers of a run. An agent that prints no stream has one when it has finished. */
const answersOf = ({ kind }: Verdict, agent: AgentRun | undefined): number =>
  agent?.turns ?? (kind === "done" ? 1 : 0)

/** The limits of an earlier daemon that may still hold. A time further ahead than any limit was saved by a wrong clock. */
const beginWith = (
  limits: ReadonlyArray<MetLimit>,
  nowMs: number,
  isFresh: boolean
): ReadonlyArray<MetLimit> =>
  limits
    .filter(({ untilMs }) => untilMs <= nowMs || resetAhead(untilMs, nowMs) !== undefined)
    .map((limit) => (isFresh ? { ...limit, untilMs: Math.min(limit.untilMs, nowMs) } : limit))

/**
 * The usage limits of all logins, which the projects of a daemon share. `isFresh`: a user has started the daemon, so a
 * limit that an earlier one has met is tried once instead of waited for.
 */
export const make = Effect.fnUntraced(function* (isFresh: boolean) {
  const logins = yield* Logins
  const events = yield* DaemonEvents
  const scope = yield* Effect.scope
  const members = new Map<ProjectName, Member>()
  const limits = new Map<string, LoginLimit>()
  /** Limits of an earlier daemon, until the login of their project is known. */
  let kept = beginWith(yield* logins.load, yield* Clock.currentTimeMillis, isFresh)

  const save = Effect.suspend(() => {
    const met = [...limits.values()].flatMap((limit) => (limit.met === undefined ? [] : [limit.met]))
    const known = met.map(({ project }) => project)
    return logins
      .save([...kept.filter(({ project }) => !known.includes(project)), ...met])
      .pipe(Effect.catchAll(({ reason }) => events.publish({ _tag: "LimitsNotSaved", reason })))
  })

  const perform = (login: string, project: ProjectName, action: LimitAction) => {
    switch (action._tag) {
      case "Go":
      case "Wait":
        return Effect.void
      case "Wake":
        return Effect.forEach(
          [...members].filter(([name, member]) => name !== project && member.login === login),
          ([, member]) => member.report({ _tag: "AskAgain" }),
          { discard: true }
        )
      case "Stop":
        return Effect.gen(function* () {
          const { untilMs } = action.wait
          const because = yield* describe(action, project)
          yield* (members.get(project)?.report ?? (() => Effect.void))({
            _tag: "RestartFor",
            because,
            cause: { _tag: "Window" },
            next: { _tag: "hold", untilMs, awaits: "time" }
          })
        })
      case "Publish":
        return events.publish(action.event)
    }
  }

  const describe = Effect.fnUntraced(function* (
    { wait }: Extract<LimitAction, { _tag: "Wait" | "Stop" }>,
    project: ProjectName
  ) {
    return describeWait(wait, project, yield* Clock.currentTimeMillis, yield* localZone)
  })

  /** One step of the automaton of a login. Returns how a start goes on. */
  const step = Effect.fnUntraced(function* (login: string, event: LimitEvent) {
    const before = limits.get(login) ?? noLimit
    const [after, actions] = stepLimit(before, event)
    limits.set(login, after)
    if (after.met !== before.met) yield* Effect.forkIn(save, scope)
    for (const action of actions) yield* perform(login, event.project, action)
    return actions.find((action) => action._tag === "Wait")
  })

  /** Gives the limits of an earlier daemon to the logins that their projects have now. */
  const adopt = Effect.gen(function* () {
    const found = yield* Effect.forEach(kept, (limit) => {
      const plan = members.get(limit.project)?.planNow()
      return Effect.map(plan === undefined ? Effect.succeed(undefined) : logins.of(plan), (login) => ({
        limit,
        id: login?.id
      }))
    })
    // Another start may have adopted them meanwhile.
    if (kept.length === 0) return
    kept = []
    for (const { id, limit } of found)
      if (id !== undefined && limits.get(id)?.met === undefined) limits.set(id, { ...noLimit, met: limit })
  })

  const mayStart = Effect.fnUntraced(function* (member: Member, plan: ProjectPlan, byUser: boolean) {
    const { agent, project, restart } = plan
    member.login = (yield* logins.of(plan))?.id
    if (kept.length > 0) yield* adopt
    const { login } = member
    if (login === undefined || restart.on.usageLimit === "restart") return
    const nowMs = yield* Clock.currentTimeMillis
    const held = yield* step(login, { _tag: "Ask", project, byUser, holdAt: agent?.holdAt ?? false, nowMs })
    if (held === undefined) return
    const because = yield* describe(held, project)
    const awaits = awaited[held.wait._tag]
    return yield* new StartHeld({ because, awaits, untilMs: held.wait.untilMs })
  })

  const heard = Effect.fnUntraced(function* (login: string, project: ProjectName, event: PublishedEvent) {
    const nowMs = yield* Clock.currentTimeMillis
    switch (event._tag) {
      case "WorkerEnded": {
        const { agent, verdict } = event
        yield* verdict.kind === "usage-limit" && !isOfOneModel(verdict.says)
          ? step(login, { _tag: "Limited", project, resetAtMs: verdict.resetAtMs, nowMs })
          : step(login, { _tag: "Ended", project, turns: answersOf(verdict, agent), nowMs })
        return
      }
      case "WorkerNotStarted":
      case "WorkerStopped":
        yield* step(login, { _tag: "Ended", project, turns: 0, nowMs })
    }
  })

  const hear = ({ login }: Member, project: ProjectName, event: PublishedEvent) =>
    login === undefined ? Effect.void : heard(login, project, event)

  const read = Effect.fnUntraced(function* (
    { login, planNow }: Member,
    project: ProjectName,
    { nowMs, seen }: Extract<WorkerEvent, { _tag: "Progress" }>
  ) {
    if (login === undefined) return
    const { agent } = planNow()
    const { rateLimit, result, sessionId, turns } = seen
    const wait = waitOf(seen, nowMs)
    yield* step(login, {
      _tag: "Reported",
      project,
      turns,
      windows: rateLimit?.windows ?? [],
      waitsUntilMs: wait?.on === "limit" ? wait.untilMs : undefined,
      mayStop:
        agent?.resume === true && sessionId !== undefined && result?.isError !== false && !isMidTool(seen),
      holdAt: agent?.holdAt ?? false,
      nowMs
    })
  })

  return {
    /** Takes a project in, until the end of the scope. */
    join: (project: ProjectName, planNow: () => ProjectPlan, report: Member["report"]) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const member: Member = { planNow, report, login: undefined }
          members.set(project, member)
          return member
        }),
        (member) =>
          Effect.suspend(() => {
            members.delete(project)
            return hear(member, project, { _tag: "WorkerStopped", project, reason: "" })
          })
      ).pipe(
        Effect.map(
          (member): LoginPart => ({
            mayStart: (plan, byUser) => mayStart(member, plan, byUser),
            report: (event) =>
              event._tag === "Progress"
                ? Effect.zipRight(report(event), read(member, project, event))
                : report(event),
            hear: (event) => hear(member, project, event)
          })
        )
      )
  }
})

export type LoginLimits = Effect.Effect.Success<ReturnType<typeof make>>
