import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { outcomeOf } from "../../../src/Domain/worker/Outcome.ts"
import type {
  UserCommand,
  WorkerAction,
  WorkerEvent,
  WorkerRules
} from "../../../src/Domain/worker/WorkerEvent.ts"
import {
  heldForMemory,
  initial,
  statusWord,
  type WorkerState
} from "../../../src/Domain/worker/WorkerState.ts"
import { step } from "../../../src/Domain/worker/WorkerStep.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import { noEvidence } from "../../fixtures/RunEvidence.ts"
import { runs } from "../../fixtures/runs.ts"

/** What happens without further facts. */
type Plain =
  | "hurry"
  | "spawned"
  | "cannot start"
  | "tree gone"
  | "timer fires"
  | "login holds"
  | "login asks again"
  | "stale report"

/**
 * A world around the automaton: it carries out actions as the actor does, but with a will of its own about when a
 * spawn succeeds, a worker exits, a tree is gone and a timer fires. Stale reports of cancelled fibers come too.
 */
type Happening =
  | { readonly _tag: "command"; readonly command: UserCommand }
  | { readonly _tag: "drain" | Plain }
  | { readonly _tag: "exit"; readonly code: number; readonly uptimeMs: number }
  | { readonly _tag: "restart for a reason"; readonly awaits: "time" | "memory" | undefined }
  | { readonly _tag: "held start"; readonly because: string }
  | { readonly _tag: "release"; readonly because: string }
  | {
      readonly _tag: "other rules"
      readonly maxBackoffMs: number
      readonly recoveryCooldownMs: number | false
    }

const happening: FastCheck.Arbitrary<Happening> = FastCheck.oneof(
  FastCheck.record({
    _tag: FastCheck.constant("command" as const),
    command: FastCheck.constantFrom<UserCommand>("start", "stop", "restart")
  }),
  FastCheck.record({
    _tag: FastCheck.constantFrom<Plain>(
      "hurry",
      "spawned",
      "spawned",
      "cannot start",
      "tree gone",
      "tree gone",
      "timer fires",
      "login holds",
      "login asks again",
      "stale report"
    )
  }),
  FastCheck.record({
    _tag: FastCheck.constant("exit" as const),
    code: FastCheck.constantFrom(0, 1),
    uptimeMs: FastCheck.constantFrom(10, 60_000)
  }),
  FastCheck.record({
    _tag: FastCheck.constant("restart for a reason" as const),
    awaits: FastCheck.constantFrom<"time" | "memory" | undefined>("time", "memory", undefined)
  }),
  FastCheck.record({
    _tag: FastCheck.constantFrom<"held start" | "release">("held start", "release"),
    because: FastCheck.constantFrom("a first", "b first", "memory")
  }),
  FastCheck.record({
    _tag: FastCheck.constant("other rules" as const),
    maxBackoffMs: FastCheck.constantFrom(10, 300_000),
    recoveryCooldownMs: FastCheck.constantFrom<number | false>(false, 1000)
  })
)

const maxFailures = 3

const rules = (policy: "on-failure" | "always"): WorkerRules => ({
  project: ProjectName.make("demo"),
  restart: { ...defaultPolicy, policy, maxConsecutiveRestarts: maxFailures }
})

interface Life {
  readonly epoch: number
  stage: "spawning" | "running" | "exited" | "being ended"
}

const makeWorld = (initialRules: WorkerRules) => {
  let by = initialRules
  let state: WorkerState = initial
  let life: Life | undefined
  let timer: WorkerEvent | undefined
  let tickets = 0
  let spawns = 0
  let lastCommand: UserCommand | undefined
  let isDraining = false

  const carryOut = (action: WorkerAction): void => {
    switch (action._tag) {
      case "Spawn":
        assert.isUndefined(life, "two workers at once")
        assert.isFalse(isDraining, "a start while the daemon shuts down")
        assert.notStrictEqual(lastCommand, "stop", "a start after a stop")
        spawns++
        life = { epoch: action.epoch, stage: "spawning" }
        return
      case "EndTree":
        assert.strictEqual(life?.epoch, action.epoch, "the end of another worker's tree")
        if (life !== undefined) life.stage = "being ended"
        return
      case "ArmSteady":
        timer = { _tag: "Steady", epoch: action.epoch }
        return
      case "Backoff":
      case "WaitUntil":
      case "BackoffFor":
      case "CoolDown":
        assert.isUndefined(life, "a wait while a worker lives")
        timer = { _tag: "Due", epoch: action.epoch }
        return
      case "CancelTimer":
        timer = undefined
        return
      case "Hasten":
        assert.isDefined(life, "nobody to hasten")
        return
      case "Answer":
      case "Publish":
        return
    }
  }

  const feed = (event: WorkerEvent): ReadonlyArray<WorkerAction> => {
    const [next, actions] = step(by, state, event)
    state = next
    for (const action of actions) carryOut(action)
    assert.isAtMost(state.failures, maxFailures)
    if (state.phase._tag === "Running") assert.strictEqual(life?.epoch, state.phase.epoch)
    // The daemon may exit then.
    if (outcomeOf({ plan: by, state }) !== undefined)
      assert.isUndefined(life ?? timer, "work that has ended, while a worker lives or will be started")
    return actions
  }

  const happen = (what: Happening): void => {
    switch (what._tag) {
      case "command": {
        const ticket = ++tickets
        // A start that is refused while the daemon shuts down changes nothing.
        if (!isDraining) lastCommand = what.command
        const answers = feed({ _tag: "Command", command: what.command, ticket }).filter(
          (action) => action._tag === "Answer" && action.ticket === ticket
        )
        assert.lengthOf(answers, 1, "a command that is not answered at once, or twice")
        return
      }
      case "hurry":
        feed({ _tag: "Hurry" })
        return
      case "drain":
        isDraining = true
        feed({ _tag: "Drain", because: "the daemon is shutting down" })
        return
      case "spawned":
        if (life?.stage !== "spawning") return
        life.stage = "running"
        feed({ _tag: "Spawned", epoch: life.epoch, pid: 1000 + life.epoch })
        return
      case "cannot start": {
        if (life?.stage !== "spawning") return
        const { epoch } = life
        life = undefined
        feed({ _tag: "CannotStart", epoch, because: "no such file", nowMs: 0 })
        return
      }
      case "login holds": {
        if (life?.stage !== "spawning") return
        const { epoch } = life
        life = undefined
        feed({ _tag: "Held", epoch, because: "waits with project shop", untilMs: 1, awaits: "login" })
        return
      }
      case "login asks again":
        feed({ _tag: "AskAgain" })
        return
      case "exit":
        if (life === undefined || life.stage === "spawning" || life.stage === "exited") return
        if (life.stage === "running") life.stage = "exited"
        feed({
          _tag: "Exited",
          epoch: life.epoch,
          exit: { code: what.code, signal: null },
          uptimeMs: what.uptimeMs
        })
        return
      case "tree gone": {
        if (life?.stage !== "exited" && life?.stage !== "being ended") return
        const { epoch } = life
        life = undefined
        feed({ _tag: "Down", epoch, seen: noEvidence })
        return
      }
      case "timer fires": {
        const due = timer
        timer = undefined
        if (due !== undefined) feed(due)
        return
      }
      case "stale report": {
        const epoch = state.epoch - 1
        if (life?.epoch === epoch) return
        feed({ _tag: "Down", epoch, seen: noEvidence })
        feed({ _tag: "Due", epoch })
        feed({ _tag: "Spawned", epoch, pid: 1 })
        return
      }
      case "held start": {
        if (!isDraining) lastCommand = "start"
        const { because } = what
        feed({ _tag: "Command", command: "start", ticket: ++tickets, hold: { because, untilMs: 1 } })
        return
      }
      case "release":
        feed({ _tag: "Release", because: what.because })
        return
      case "other rules": {
        const { restart } = by
        const { maxBackoffMs, recoveryCooldownMs } = what
        const initialBackoffMs = maxBackoffMs === 10 ? 0 : defaultPolicy.initialBackoffMs
        by = { ...by, restart: { ...restart, initialBackoffMs, maxBackoffMs, recoveryCooldownMs } }
        feed({ _tag: "PolicyChanged", before: restart, uptimeMs: 10, leftMs: 1000 })
        return
      }
      case "restart for a reason": {
        const { awaits } = what
        feed({
          _tag: "RestartFor",
          because: "memory",
          next: awaits === undefined ? { _tag: "start" } : { _tag: "hold", untilMs: 1, awaits }
        })
      }
    }
  }

  /** Nobody commands and nothing fails any more: where does it come to rest? */
  const settle = (): string => {
    for (let round = 0; round < 20; round++) {
      happen({ _tag: "tree gone" })
      happen({ _tag: "spawned" })
      if (state.phase._tag === "Restarting" || state.phase._tag === "Waiting") happen({ _tag: "timer fires" })
      if (heldForMemory(state) !== undefined) happen({ _tag: "release", because: "memory" })
    }
    return statusWord(state)
  }

  return { happen, settle, state: () => state, spawns: () => spawns }
}

const numRuns = runs(1000)
const story = FastCheck.array(happening, { maxLength: 60 })
const policy = FastCheck.constantFrom<"on-failure" | "always">("on-failure", "always")

describe("for any sequence of events", () => {
  it("there are never two workers, no command is lost, and nothing starts after a stop", () => {
    FastCheck.assert(
      FastCheck.property(story, policy, (happenings, by) => {
        const world = makeWorld(rules(by))
        for (const what of happenings) world.happen(what)
      }),
      { numRuns }
    )
  })

  it("a worker that was asked to start runs in the end, and one that was asked to stop does not", () => {
    FastCheck.assert(
      FastCheck.property(
        story,
        policy,
        FastCheck.constantFrom<UserCommand>("start", "stop", "restart"),
        (happenings, by, command) => {
          const world = makeWorld(rules(by))
          for (const what of happenings) world.happen(what)
          world.happen({ _tag: "command", command })
          assert.strictEqual(world.settle(), command === "stop" ? "stopped" : "running")
        }
      ),
      { numRuns }
    )
  })

  it("a shutdown stops the worker, and no later event starts one", () => {
    FastCheck.assert(
      FastCheck.property(story, story, policy, (happenings, later, by) => {
        const world = makeWorld(rules(by))
        for (const what of happenings) world.happen(what)
        world.happen({ _tag: "drain" })
        const spawns = world.spawns()
        for (const what of later) world.happen(what)
        world.settle()
        assert.strictEqual(world.state().phase._tag, "Stopped")
        assert.strictEqual(world.spawns(), spawns)
      }),
      { numRuns }
    )
  })
})
