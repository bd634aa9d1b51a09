import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { KillReason } from "../../Domain/verdict/WorkerEnd.ts"
import { type ProjectPlan, settingsAwaited, type WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import { blank, resume, survivorOf, whatIsCleared } from "../../Domain/worker/SavedState.ts"
import type { Hold, UserCommand, WorkerAction, WorkerEvent } from "../../Domain/worker/WorkerEvent.ts"
import { initial, nextStartMs, type WorkerState } from "../../Domain/worker/WorkerState.ts"
import { step } from "../../Domain/worker/WorkerStep.ts"
import type { Step } from "../../Domain/worker/WorkerTransition.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import * as CurrentLife from "./CurrentLife.ts"
import { projectState } from "./StateStore.ts"
import { WorkerLife } from "./WorkerLife.ts"
import * as WorkerTimer from "./WorkerTimer.ts"

/** What the outside may know of a project at any moment, without waiting for anyone. */
export interface ProjectSnapshot {
  /** What the next start brings. */
  readonly plan: ProjectPlan
  /** What was started, while anything of it may be left; else what the next start brings. */
  readonly inForce: WorkerPlan
  /** The settings by which the worker that runs differs from the plan. */
  readonly awaited: ReadonlyArray<string>
  readonly state: WorkerState
  /** The worker that runs: its id and when it started, on the monotonic clock. */
  readonly worker: { readonly id: string; readonly startedNanos: bigint } | undefined
  /** When the worker is started again by itself, in milliseconds since 1970 by the clock as it is set now. */
  readonly nextStartMs: number | undefined
}

export interface CommandAnswer {
  readonly success: boolean
  readonly message: string
}

export interface ProjectActor {
  /** A start may be held until it is released. */
  readonly command: (command: UserCommand, hold?: Hold) => Effect.Effect<CommandAnswer>
  /** What a start was held for has come about. */
  readonly release: (because: string) => Effect.Effect<void>
  readonly restartFor: (
    because: string,
    next: Extract<WorkerEvent, { _tag: "RestartFor" }>["next"],
    cause?: KillReason
  ) => Effect.Effect<void>
  /** Cuts the grace of what is being ended short. */
  readonly hurry: Effect.Effect<void>
  /** The plan of the next start; the rules of the restart and the grace hold at once. */
  readonly replan: (plan: ProjectPlan) => Effect.Effect<void>
  readonly snapshot: Effect.Effect<ProjectSnapshot>
  /** Returns when the actor has taken this out of its mailbox: it is not hung. Until it is to begin it waits rightly. */
  readonly turn: Effect.Effect<void>
  /** Returns when no tree is being ended. */
  readonly settled: Effect.Effect<void>
  /**
   * Ends the worker for good, as the daemon ends or the project is removed: nothing is started any more. Returns the
   * pids that could not be ended. Called again with the same reason while it works it cuts the grace short.
   */
  readonly drain: (because: string) => Effect.Effect<ReadonlyArray<number>>
}

interface ActorOptions {
  /** Take up where the last daemon ended instead of starting afresh. */
  readonly keepState: boolean
  /** Whether it starts when nobody has said anything yet. */
  readonly starts: boolean
  /** Completes when it is time to start. */
  readonly begin: Effect.Effect<void>
}

/** Somebody wants to know that the mailbox is still read. Nothing happens to the worker by it. */
interface Turn {
  readonly _tag: "Turn"
  readonly taken: Deferred.Deferred<void>
}

/** What a drain waits for: rest, or nothing but processes that cannot be ended. */
const leftAtRest = ({ leaving, phase }: WorkerState): ReadonlyArray<number> | undefined =>
  leaving === undefined
    ? undefined
    : phase._tag === "Stopped"
      ? []
      : (phase._tag === "Starting" || phase._tag === "Stopping") && phase.remains.length > 0
        ? phase.remains
        : undefined

const hasTree = ({ phase }: WorkerState): boolean =>
  phase._tag === "Starting" || phase._tag === "Running" || phase._tag === "Stopping"

/**
 * The fiber that owns one project: it takes one event at a time, lets `step` decide, and carries out the actions.
 * Everything that takes time runs in other fibers that report back, so a command is served at once in every state.
 */
export const make = Effect.fnUntraced(function* (initialPlan: ProjectPlan, options: ActorOptions) {
  const { project } = initialPlan
  const events = yield* DaemonEvents
  const { newId } = yield* WorkerLife
  const concerns = yield* Concerns
  const mailbox = yield* Mailbox.make<WorkerEvent | Turn>()
  const state = yield* SubscriptionRef.make<WorkerState>(initial)
  const tell = (event: WorkerEvent): Effect.Effect<void> => Effect.asVoid(mailbox.offer(event))
  const timer = yield* WorkerTimer.make(mailbox)
  const answers = new Map<number, Deferred.Deferred<CommandAnswer>>()
  const isDead = yield* Deferred.make<void>()
  const disk = yield* projectState(project, yield* Effect.scope)

  let tickets = 0
  let isBegun = false
  let plan = initialPlan
  const rules = () => ({ project, restart: plan.restart })
  const life = yield* CurrentLife.make(project, () => plan, tell)

  const perform = (action: WorkerAction, nextId: string | undefined): Effect.Effect<void> => {
    switch (action._tag) {
      case "Answer": {
        const waiting = answers.get(action.ticket)
        answers.delete(action.ticket)
        const { message, success } = action
        return waiting === undefined
          ? Effect.void
          : Effect.asVoid(Deferred.succeed(waiting, { success, message }))
      }
      case "Spawn":
        return nextId === undefined
          ? Effect.dieMessage("a worker without an id")
          : life.spawn(action.epoch, nextId)
      case "EndTree":
        return life.end
      case "Hasten":
        return life.hasten
      case "ArmSteady":
        return timer.after(action.inMs, { _tag: "Steady", epoch: action.epoch })
      case "Backoff":
        return timer.backoff(plan.restart, action.failuresBefore, action.epoch)
      case "BackoffFor":
        return timer.backoffFor(action.delayMs, action.epoch)
      case "WaitUntil":
        return timer.until(action.untilMs, { _tag: "Due", epoch: action.epoch })
      case "CoolDown":
        return timer.after(action.forMs, { _tag: "Due", epoch: action.epoch })
      case "CancelTimer":
        return timer.cancel
      case "Publish":
        return events.publish(action.event)
    }
  }

  const carryOut = Effect.fnUntraced(function* ([next, actions]: Step) {
    const starts = actions.some((action) => action._tag === "Spawn")
    const id = starts ? yield* newId(project) : life.look()?.id
    // Neither the end of the daemon nor that of the project is a change of what a person wants.
    if (next.leaving === undefined) yield* disk.save(survivorOf(next, id ?? null))
    yield* SubscriptionRef.set(state, next)
    for (const action of actions) yield* perform(action, id)
  })

  const before = yield* disk.load
  const isFresh = !options.keepState || before === undefined
  const first = resume(rules(), isFresh ? blank : before, yield* Clock.currentTimeMillis, options.starts)
  // Whoever asks before the beginning is told what is about to be, not that nothing is.
  yield* SubscriptionRef.set(state, first[0])

  const begin = Effect.gen(function* () {
    const isCleared = !options.keepState && before !== undefined
    const cleared = isCleared ? whatIsCleared(before, options.starts) : undefined
    if (cleared !== undefined) yield* events.publish({ _tag: "StateCleared", project, what: cleared })
    if (!first[1].some((action) => action._tag === "Spawn")) yield* life.endLeftovers
    yield* carryOut(first)
  })

  const loop = Effect.gen(function* () {
    yield* options.begin
    isBegun = true
    yield* begin
    for (;;) {
      const event = yield* mailbox.take
      if (event._tag === "Turn") yield* Deferred.succeed(event.taken, undefined)
      else yield* carryOut(step(rules(), yield* SubscriptionRef.get(state), event))
    }
  })

  yield* concerns.run("supervisor", Effect.ensuring(loop, Deferred.succeed(isDead, undefined)), {
    vital: true
  })

  const snapshot = Effect.gen(function* () {
    const now = yield* SubscriptionRef.get(state)
    const lived = life.look()
    const leftMs = now.phase._tag === "Restarting" ? yield* timer.backoffLeftMs : undefined
    const started = lived !== undefined && hasTree(now) ? lived.plan : undefined
    return {
      plan,
      inForce: started ?? plan,
      awaited: started === undefined ? [] : settingsAwaited(started, plan),
      state: now,
      nextStartMs: leftMs === undefined ? nextStartMs(now) : (yield* Clock.currentTimeMillis) + leftMs,
      worker:
        lived?.startedNanos === undefined ? undefined : { id: lived.id, startedNanos: lived.startedNanos }
    } satisfies ProjectSnapshot
  })

  return {
    command: Effect.fnUntraced(function* (command, hold) {
      const ticket = ++tickets
      const answer = yield* Deferred.make<CommandAnswer>()
      answers.set(ticket, answer)
      yield* tell({ _tag: "Command", command, ticket, ...(hold === undefined ? {} : { hold }) })
      return yield* Effect.raceFirst(
        Deferred.await(answer),
        Effect.as(Deferred.await(isDead), {
          success: false,
          message: `Cannot ${command} the worker: its supervisor has failed and the daemon is ending`
        })
      )
    }),
    release: (because) => tell({ _tag: "Release", because }),
    restartFor: (because, next, cause) => tell({ _tag: "RestartFor", because, next, cause }),
    hurry: tell({ _tag: "Hurry" }),
    replan: Effect.fnUntraced(function* (next) {
      const { restart } = plan
      plan = next
      const { nextStartMs: dueMs, worker } = yield* snapshot
      const uptimeMs =
        worker === undefined ? 0 : Number((yield* Clock.currentTimeNanos) - worker.startedNanos) / 1e6
      const leftMs = dueMs === undefined ? 0 : dueMs - (yield* Clock.currentTimeMillis)
      yield* tell({ _tag: "PolicyChanged", before: restart, uptimeMs, leftMs })
    }),
    snapshot,
    turn: Effect.gen(function* () {
      if (!isBegun) return
      const taken = yield* Deferred.make<void>()
      yield* mailbox.offer({ _tag: "Turn", taken })
      yield* Effect.raceFirst(Deferred.await(taken), Deferred.await(isDead))
    }),
    settled: state.changes.pipe(
      Stream.filter(({ phase }) => phase._tag !== "Stopping"),
      Stream.runHead,
      Effect.raceFirst(Deferred.await(isDead)),
      Effect.asVoid
    ),
    drain: Effect.fnUntraced(function* (because) {
      yield* tell({ _tag: "Drain", because })
      const atRest = state.changes.pipe(
        Stream.filterMap((now) => Option.fromNullable(leftAtRest(now))),
        Stream.runHead
      )
      return yield* Effect.raceFirst(
        Effect.map(
          atRest,
          Option.getOrElse(() => [])
        ),
        Effect.as(Deferred.await(isDead), [])
      )
    })
  } satisfies ProjectActor
})
