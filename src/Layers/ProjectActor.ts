import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { RestartPolicy } from "../Domain/RestartPolicy.ts"
import { blank, resume, survivorOf, whatIsCleared } from "../Domain/Survivor.ts"
import type { Command, WorkerAction, WorkerEvent } from "../Domain/WorkerEvent.ts"
import { initial, nextStartMs, type WorkerState } from "../Domain/WorkerState.ts"
import { step } from "../Domain/WorkerStep.ts"
import type { Step } from "../Domain/WorkerTransition.ts"
import { Concerns } from "./Concerns.ts"
import { DaemonEvents } from "./DaemonEvents.ts"
import * as SavedState from "./SavedState.ts"
import { WorkerLife, type WorkerPlan } from "./WorkerLife.ts"
import { WorkerLog } from "./WorkerLog.ts"
import * as WorkerTimer from "./WorkerTimer.ts"

/** One project to be supervised. */
export interface ProjectPlan extends WorkerPlan {
  readonly restart: RestartPolicy
}

/** What the outside may know of a project at any moment, without waiting for anyone. */
export interface ProjectSnapshot {
  readonly plan: ProjectPlan
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
  readonly command: (command: Command) => Effect.Effect<CommandAnswer>
  readonly restartFor: (
    because: string,
    next: Extract<WorkerEvent, { _tag: "RestartFor" }>["next"]
  ) => Effect.Effect<void>
  readonly snapshot: Effect.Effect<ProjectSnapshot>
  /**
   * Ends the worker for the end of the daemon: nothing is started any more. Returns the pids that could not be ended.
   * Called again while it works it cuts the grace short.
   */
  readonly drain: Effect.Effect<ReadonlyArray<number>>
}

interface Life {
  readonly id: string
  /** On the monotonic clock; undefined until it runs. */
  readonly started: Ref.Ref<bigint | undefined>
  readonly fiber: Fiber.RuntimeFiber<void>
  readonly hasten: Deferred.Deferred<void>
}

/** What a drain waits for: rest, or nothing but processes that cannot be ended. */
const leftAtRest = ({ draining, phase }: WorkerState): ReadonlyArray<number> | undefined =>
  !draining
    ? undefined
    : phase._tag === "Stopped"
      ? []
      : (phase._tag === "Starting" || phase._tag === "Stopping") && phase.remains.length > 0
        ? phase.remains
        : undefined

/**
 * The fiber that owns one project: it takes one event at a time, lets `step` decide, and carries out the actions.
 * Everything that takes time runs in other fibers that report back, so a command is served at once in every state.
 */
export const make = Effect.fnUntraced(function* (
  plan: ProjectPlan,
  options: { readonly keepState: boolean; readonly begin: Effect.Effect<void> }
) {
  const { project, restart } = plan
  const rules = { project, restart }
  const events = yield* DaemonEvents
  const lives = yield* WorkerLife
  const concerns = yield* Concerns
  const log = yield* (yield* WorkerLog).open(project)
  const mailbox = yield* Mailbox.make<WorkerEvent>()
  const state = yield* SubscriptionRef.make<WorkerState>(initial)
  const tell = (event: WorkerEvent): Effect.Effect<void> => Effect.asVoid(mailbox.offer(event))
  const timer = yield* WorkerTimer.make(mailbox)
  const answers = new Map<number, Deferred.Deferred<CommandAnswer>>()
  const isDead = yield* Deferred.make<void>()
  const abandon = yield* Deferred.make<void>()

  let tickets = 0
  let life: Life | undefined

  // Lives end in a scope of their own, so that the word to give up on what hangs in the kernel comes before it closes.
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) =>
    Effect.zipRight(Deferred.succeed(abandon, undefined), Scope.close(scope, exit))
  )
  const disk = yield* SavedState.make(project, scope)

  const spawn = Effect.fnUntraced(function* (epoch: number, id: string) {
    const hasten = yield* Deferred.make<void>()
    const started = yield* Ref.make<bigint | undefined>(undefined)
    const patience = { hasten: Deferred.await(hasten), abandon: Deferred.await(abandon) }
    const fiber = yield* lives
      .live(plan, id, log, patience, {
        onSpawned: Effect.fnUntraced(function* (pid) {
          yield* Ref.set(started, yield* Clock.currentTimeNanos)
          yield* events.publish({ _tag: "WorkerStarted", project, pid, workerId: id, command: plan.argv })
          yield* tell({ _tag: "Spawned", epoch, pid })
        }),
        onExited: (exit, uptimeMs) => tell({ _tag: "Exited", epoch, exit, uptimeMs }),
        onRemains: (pids) => tell({ _tag: "Remaining", epoch, pids })
      })
      .pipe(
        Effect.exit,
        Effect.flatMap((exit) => {
          const failure = exit._tag === "Failure" ? Cause.failureOption(exit.cause) : undefined
          if (failure?._tag === "Some") {
            return tell({ _tag: "CannotStart", epoch, because: failure.value.message })
          }
          const isDefect = exit._tag === "Failure" && !Cause.isInterruptedOnly(exit.cause)
          return Effect.zipRight(
            isDefect
              ? Effect.logError("The supervision of a worker failed by a defect", exit.cause)
              : Effect.void,
            tell({ _tag: "Down", epoch })
          )
        }),
        // Only the life inside can be interrupted, so that the report of its end always comes.
        Effect.uninterruptible,
        Effect.forkIn(scope)
      )
    life = { id, started, fiber, hasten }
  })

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
          : spawn(action.epoch, nextId)
      case "EndTree":
        return life === undefined ? Effect.void : Effect.asVoid(Fiber.interruptFork(life.fiber))
      case "Hasten":
        return life === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(life.hasten, undefined))
      case "ArmSteady":
        return timer.after(restart.successThresholdMs, { _tag: "Steady", epoch: action.epoch })
      case "Backoff":
        return timer.backoff(restart, action.failuresBefore, action.epoch)
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
    const id = starts ? yield* lives.newId(project) : life?.id
    // The end of the daemon is not a change of what a person wants.
    if (!next.draining) yield* disk.save(survivorOf(next, id ?? null))
    yield* SubscriptionRef.set(state, next)
    for (const action of actions) yield* perform(action, id)
  })

  const before = yield* disk.load
  const isFresh = !options.keepState || before === undefined
  const first = resume(rules, isFresh ? blank : before, yield* Clock.currentTimeMillis)
  // Whoever asks before the beginning is told what is about to be, not that nothing is.
  yield* SubscriptionRef.set(state, first[0])

  const begin = Effect.gen(function* () {
    const cleared = options.keepState || before === undefined ? undefined : whatIsCleared(before)
    if (cleared !== undefined) yield* events.publish({ _tag: "StateCleared", project, what: cleared })
    if (!first[1].some((action) => action._tag === "Spawn")) {
      const onRemains = (pids: ReadonlyArray<number>) =>
        events.publish({ _tag: "RemainsFound", project, pids })
      yield* Effect.forkIn(lives.endLeftovers(plan, Deferred.await(abandon), onRemains), scope)
    }
    yield* carryOut(first)
  })

  const loop = Effect.gen(function* () {
    yield* options.begin
    yield* begin
    for (;;) {
      const event = yield* mailbox.take
      yield* carryOut(step(rules, yield* SubscriptionRef.get(state), event))
    }
  })

  yield* concerns.run("supervisor", Effect.ensuring(loop, Deferred.succeed(isDead, undefined)), {
    vital: true
  })

  return {
    command: Effect.fnUntraced(function* (command) {
      const ticket = ++tickets
      const answer = yield* Deferred.make<CommandAnswer>()
      answers.set(ticket, answer)
      yield* tell({ _tag: "Command", command, ticket })
      return yield* Effect.raceFirst(
        Deferred.await(answer),
        Effect.as(Deferred.await(isDead), {
          success: false,
          message: `Cannot ${command} the worker: its supervisor has failed and the daemon is ending`
        })
      )
    }),
    restartFor: (because, next) => tell({ _tag: "RestartFor", because, next }),
    snapshot: Effect.gen(function* () {
      const startedNanos = life === undefined ? undefined : yield* Ref.get(life.started)
      const now = yield* SubscriptionRef.get(state)
      const leftMs = now.phase._tag === "Restarting" ? yield* timer.backoffLeftMs : undefined
      return {
        plan,
        state: now,
        nextStartMs: leftMs === undefined ? nextStartMs(now) : (yield* Clock.currentTimeMillis) + leftMs,
        worker: life === undefined || startedNanos === undefined ? undefined : { id: life.id, startedNanos }
      }
    }),
    drain: Effect.gen(function* () {
      yield* tell({ _tag: "Drain" })
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
