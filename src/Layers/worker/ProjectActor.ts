import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Survivor } from "../../Domain/tree/Survivor.ts"
import { describeVerdict } from "../../Domain/verdict/ExitVerdict.ts"
import type { KillReason } from "../../Domain/verdict/WorkerEnd.ts"
import { logNoteOf } from "../../Domain/worker/LogNote.ts"
import { type ProjectPlan, settingsAwaited, type WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import {
  afresh,
  clearedParts,
  emptyState,
  keptSinceMs,
  resume,
  savedStateOf
} from "../../Domain/worker/SavedState.ts"
import type { Hold, UserCommand, WorkerAction, WorkerEvent } from "../../Domain/worker/WorkerEvent.ts"
import {
  hasTree,
  initial,
  leftAfterDrain,
  nextStartMs,
  statusWord,
  type WorkerState
} from "../../Domain/worker/WorkerState.ts"
import { step } from "../../Domain/worker/WorkerStep.ts"
import type { Step } from "../../Domain/worker/WorkerTransition.ts"
import { makeInbox } from "../concurrency/Inbox.ts"
import { awaited, makeListeners } from "../concurrency/Listeners.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import * as CommandAnswers from "./CommandAnswers.ts"
import * as CurrentRun from "./CurrentRun.ts"
import type { DaySpending } from "./DaySpending.ts"
import type { LoginLimits } from "./LoginLimits.ts"
import * as RunStarts from "./RunStarts.ts"
import { projectState } from "./StateStore.ts"
import * as WorkerTimer from "./WorkerTimer.ts"

/** Snapshot of a project. Reading it never waits. */
export interface ProjectSnapshot {
  /** The plan of the next start. */
  readonly plan: ProjectPlan
  /** The plan of the running worker; without one, the plan of the next start. */
  readonly inForce: WorkerPlan
  /** The settings in which the running worker differs from `plan`. */
  readonly awaited: ReadonlyArray<string>
  readonly state: WorkerState
  /** The id and the start (on the monotonic clock) of the running worker. */
  readonly worker: { readonly id: string; readonly startedNanos: bigint } | undefined
  /** The next automatic start, in milliseconds since 1970 by the current wall clock. */
  readonly nextStartMs: number | undefined
  /** The beginning of the state, in milliseconds since 1970. */
  readonly sinceMs: number
}

export interface ProjectActor {
  /** Carries out a command. `hold` holds a start until its release. */
  readonly command: (command: UserCommand, hold?: Hold) => Effect.Effect<CommandAnswers.CommandAnswer>
  /** Releases a start that is held for this reason. */
  readonly release: (because: string) => Effect.Effect<void>
  /** Begins another work of its agent. */
  readonly forget: Effect.Effect<CommandAnswers.CommandAnswer>
  readonly restartFor: (
    because: string,
    next: Extract<WorkerEvent, { _tag: "RestartFor" }>["next"],
    cause?: KillReason
  ) => Effect.Effect<void>
  /** Ends the grace period of a worker that is stopping. */
  readonly hurry: Effect.Effect<void>
  /** Replaces the plan. The restart policy and the grace period apply at once, the rest at the next start. */
  readonly replan: (plan: ProjectPlan) => Effect.Effect<void>
  readonly snapshot: Effect.Effect<ProjectSnapshot>
  /** The same in plain code, for answers that need no fiber. */
  readonly look: (clock: Clock.Clock) => ProjectSnapshot
  /** Liveness probe: returns when the actor has taken it from its inbox, or before the actor begins. */
  readonly probe: Effect.Effect<void>
  /** Returns when no process tree is stopping. */
  readonly settled: Effect.Effect<void>
  /**
   * Stops the worker for good and starts nothing more. Returns the processes that survived SIGKILL. A second call with the
   * same reason ends the grace period.
   */
  readonly drain: (because: string) => Effect.Effect<ReadonlyArray<Survivor>>
}

interface ActorOptions {
  /** Resume the saved state instead of starting afresh. */
  readonly keepState: boolean
  /** Starts without a command of a user. */
  readonly starts: boolean
  /** Completes when the actor may begin. */
  readonly begin: Effect.Effect<void>
  readonly spending: DaySpending
  readonly limits: LoginLimits
}

/** Liveness probe of the inbox. It does not touch the worker. */
interface Probe {
  readonly _tag: "Probe"
  readonly taken: Deferred.Deferred<void>
}

/**
 * The fiber that owns one project: it takes one event at a time, lets `step` decide, and carries out the actions. Slow
 * work runs in other fibers that report back, so the actor answers a command at once in every state.
 */
export const make = Effect.fnUntraced(function* (initialPlan: ProjectPlan, options: ActorOptions) {
  const { project } = initialPlan
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  const clock = yield* Effect.clock
  const inbox = makeInbox<WorkerEvent | Probe>()
  const changes = makeListeners<[]>()
  let now: WorkerState = initial
  const report = (event: WorkerEvent): Effect.Effect<void> => Effect.sync(() => inbox.add(event))
  const timer = yield* WorkerTimer.make(inbox.add)
  const isDead = yield* Deferred.make<void>()
  const answers = CommandAnswers.make(report, Deferred.await(isDead))
  const disk = yield* projectState(project, yield* Effect.scope)

  let isBegun = false
  let plan = initialPlan
  const rules = () => ({ project, restart: plan.restart, agent: plan.agent, places: plan.places })
  const before = yield* disk.load
  let wish = before ?? emptyState
  const starts = yield* RunStarts.make(project, () => plan, options.spending)
  const login = yield* options.limits.join(project, () => plan, report)
  const runs = yield* CurrentRun.make(project, () => plan, login, starts.today, before?.tree)

  /** Starts a run, or reports why none may start. */
  const spawn = Effect.fnUntraced(function* (
    epoch: number,
    { id, start }: RunStarts.NextRun,
    byUser: boolean
  ) {
    if (plan.refusal !== undefined) {
      yield* runs.endLeftovers
      const nowMs = yield* Clock.currentTimeMillis
      return yield* report({ _tag: "CannotStart", epoch, because: plan.refusal, nowMs, isRefused: true })
    }
    if (start._tag === "Refused") {
      const { verdict } = start
      const nowMs = yield* Clock.currentTimeMillis
      return yield* report({ _tag: "CannotStart", epoch, because: describeVerdict(verdict), nowMs, verdict })
    }
    yield* runs.spawn(epoch, id, start, byUser)
  })

  const perform = (action: WorkerAction, next: RunStarts.NextRun | undefined): Effect.Effect<void> => {
    switch (action._tag) {
      case "Answer":
        return answers.give(action.ticket, action)
      case "Spawn":
        return next === undefined
          ? Effect.dieMessage("a run without an id")
          : spawn(action.epoch, next, action.byUser === true)
      case "EndTree":
        return runs.end
      case "Hasten":
        return runs.hasten
      case "ArmSteady":
        return timer.after(action.inMs, { _tag: "Steady", epoch: action.epoch })
      case "Backoff":
        return timer.backoff(plan.restart, action.failuresBefore, action.epoch)
      case "BackoffFor":
        return timer.backoffFor(action.delayMs, action.epoch)
      case "WaitUntil":
        return timer.until(action.untilMs, { _tag: "Due", epoch: action.epoch })
      case "CoolDown":
        return timer.coolDown(action.forMs, action.epoch)
      case "CancelTimer":
        return timer.cancel
      case "Publish": {
        const note = logNoteOf(action.event)
        return note === undefined ? Effect.void : runs.note(note)
      }
    }
  }

  const carryOut = Effect.fnUntraced(function* ([decided, actions]: Step) {
    const run = actions.some(({ _tag }) => _tag === "Spawn") ? yield* starts.next(decided.work) : undefined
    const next = run === undefined ? decided : { ...decided, work: run.start.work }
    const id = run?.id ?? runs.current()?.id
    options.spending.note(project, next.work)
    if (statusWord(next) !== statusWord(now)) sinceMs = clock.unsafeCurrentTimeMillis()
    wish = savedStateOf(next, id ?? null, runs.trace(), wish, sinceMs)
    // Settings that allow no start are no state of the worker: it starts once they are corrected.
    if (plan.refusal === undefined || next.phase._tag === "Stopped")
      yield* disk.save(wish, next.phase._tag === "Stopping")
    // Before the state shows it: no other project of the login may start in between, and the history is never behind.
    for (const { event } of actions.filter((action) => action._tag === "Publish"))
      yield* Effect.zipRight(login.hear(event), events.publish(event))
    now = next
    changes.tell()
    for (const action of actions) yield* perform(action, run)
  })

  const isFresh = !options.keepState || before === undefined
  const nowMs = yield* Clock.currentTimeMillis
  const first = resume(rules(), isFresh ? afresh(before) : before, nowMs, options.starts)
  let sinceMs = keptSinceMs(first[0], isFresh ? undefined : before, nowMs)
  // A status before the beginning shows the state that follows, not an empty one.
  now = first[0]
  options.spending.note(project, first[0].work)

  const begin = Effect.gen(function* () {
    const cleared = isFresh && before !== undefined ? clearedParts(before, options.starts) : undefined
    if (cleared !== undefined) yield* events.publish({ _tag: "StateCleared", project, what: cleared })
    if (!first[1].some((action) => action._tag === "Spawn")) yield* runs.endLeftovers
    yield* carryOut(first)
  })

  const loop = Effect.gen(function* () {
    yield* options.begin
    isBegun = true
    yield* begin
    for (;;) {
      const event = yield* inbox.take
      if (event._tag === "Probe") yield* Deferred.succeed(event.taken, undefined)
      else yield* carryOut(step(rules(), now, event))
    }
  })

  yield* concerns.run("supervisor", Effect.ensuring(loop, Deferred.succeed(isDead, undefined)), {
    vital: true
  })

  const look = (clock: Clock.Clock): ProjectSnapshot => {
    const run = runs.current()
    const leftMs =
      now.phase._tag === "Restarting" || now.phase._tag === "Failed"
        ? timer.leftMs(clock.unsafeCurrentTimeNanos())
        : undefined
    const started = run !== undefined && hasTree(now) ? run.plan : undefined
    return {
      plan,
      inForce: started ?? plan,
      awaited: started === undefined || started === plan ? [] : settingsAwaited(started, plan),
      state: now,
      sinceMs,
      nextStartMs: leftMs === undefined ? nextStartMs(now) : clock.unsafeCurrentTimeMillis() + leftMs,
      worker: run?.startedNanos === undefined ? undefined : { id: run.id, startedNanos: run.startedNanos }
    }
  }
  const snapshot = Effect.map(Effect.clock, look)

  return {
    command: (command, hold) =>
      answers.ask(
        (ticket) => ({ _tag: "Command", command, ticket, ...(hold === undefined ? {} : { hold }) }),
        `${command} the worker`
      ),
    forget: answers.ask((ticket) => ({ _tag: "Forget", ticket }), "begin another work"),
    release: (because) => report({ _tag: "Release", because }),
    restartFor: (because, next, cause) => report({ _tag: "RestartFor", because, next, cause }),
    hurry: report({ _tag: "Hurry" }),
    replan: Effect.fnUntraced(function* (next) {
      const { refusal, restart } = plan
      plan = next
      if (refusal !== undefined && refusal !== next.refusal)
        yield* report({ _tag: "Release", because: refusal })
      const { nextStartMs: dueMs, worker } = yield* snapshot
      const uptimeMs =
        worker === undefined ? 0 : Number((yield* Clock.currentTimeNanos) - worker.startedNanos) / 1e6
      const leftMs = dueMs === undefined ? 0 : dueMs - (yield* Clock.currentTimeMillis)
      yield* report({ _tag: "PolicyChanged", before: restart, uptimeMs, leftMs })
    }),
    snapshot,
    look,
    probe: Effect.gen(function* () {
      if (!isBegun) return
      const taken = yield* Deferred.make<void>()
      inbox.add({ _tag: "Probe", taken })
      yield* Effect.raceFirst(Deferred.await(taken), Deferred.await(isDead))
    }),
    settled: awaited(changes.listen, () => now.phase._tag !== "Stopping" || undefined).pipe(
      Effect.raceFirst(Deferred.await(isDead)),
      Effect.asVoid
    ),
    drain: Effect.fnUntraced(function* (because) {
      yield* report({ _tag: "Drain", because })
      const atRest = awaited(changes.listen, () => leftAfterDrain(now))
      return yield* Effect.raceFirst(atRest, Effect.as(Deferred.await(isDead), []))
    })
  } satisfies ProjectActor
})
