import { assert, describe, it } from "@effect/vitest"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { noWork } from "../../../src/Domain/session/WorkRecord.ts"
import type { Survivor } from "../../../src/Domain/tree/Survivor.ts"
import type {
  UserCommand,
  WorkerAction,
  WorkerEvent,
  WorkerRules
} from "../../../src/Domain/worker/WorkerEvent.ts"
import {
  heldForMemory,
  initial,
  nextStartMs,
  Phase,
  reason,
  Sequel,
  statusWord,
  type WorkerState
} from "../../../src/Domain/worker/WorkerState.ts"
import { step } from "../../../src/Domain/worker/WorkerStep.ts"
import { claudePlan } from "../../fixtures/AgentPlans.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import { noEvidence } from "../../fixtures/RunEvidence.ts"

const project = ProjectName.make("demo")

const rules: WorkerRules = {
  project,
  restart: defaultPolicy
}

const always: WorkerRules = { ...rules, restart: { ...rules.restart, policy: "always" } }

/** Every phase, each with three failures behind it, as it stands before an event. */
const before = {
  stopped: { ...initial, epoch: 4, failures: 3, phase: Phase.Stopped({ because: "stopped by command" }) },
  starting: {
    ...initial,
    epoch: 4,
    failures: 3,
    phase: Phase.Starting({ epoch: 4, again: true, remains: [] })
  },
  running: { ...initial, epoch: 4, failures: 3, phase: Phase.Running({ epoch: 4, pid: 99 }) },
  stopping: {
    ...initial,
    epoch: 4,
    failures: 3,
    phase: Phase.Stopping({
      epoch: 4,
      sequel: Sequel.Judge(),
      asked: undefined,
      cause: undefined,
      ended: { exit: { code: 1, signal: null }, uptimeMs: 5000 },
      remains: []
    })
  },
  restarting: {
    ...initial,
    epoch: 4,
    failures: 3,
    phase: Phase.Restarting({ epoch: 4, dueMs: 1000, because: "exit code 1" })
  },
  waiting: {
    ...initial,
    epoch: 4,
    failures: 3,
    phase: Phase.Waiting({
      epoch: 4,
      untilMs: 1000,
      because: "usage limit",
      again: true,
      awaits: "time"
    })
  },
  failed: { ...initial, epoch: 4, failures: 10, phase: Phase.Failed({ epoch: 4, because: "10 failures" }) }
} satisfies Record<string, WorkerState>

const command = (name: UserCommand): WorkerEvent => ({ _tag: "Command", command: name, ticket: 1 })

const drain: WorkerEvent = { _tag: "Drain", because: "the daemon is shutting down" }

const done = (actions: ReadonlyArray<WorkerAction>): ReadonlyArray<string> =>
  actions.map((action) => action._tag).filter((tag) => tag !== "Publish" && tag !== "Answer")

const answer = (actions: ReadonlyArray<WorkerAction>): string =>
  actions.flatMap((action) => (action._tag === "Answer" ? [action.message] : [])).join()

describe("a start that is held", () => {
  const hold = { because: "shop is being stopped first", untilMs: 5000 }
  const held: WorkerEvent = { _tag: "Command", command: "start", ticket: 1, hold }
  const release: WorkerEvent = { _tag: "Release", because: hold.because }

  const table: ReadonlyArray<
    readonly [state: keyof typeof before, word: string, done: ReadonlyArray<string>]
  > = [
    ["stopped", "waiting", ["WaitUntil"]],
    ["starting", "starting", []],
    ["running", "running", []],
    ["stopping", "stopping", []],
    ["restarting", "waiting", ["WaitUntil"]],
    ["waiting", "waiting", ["WaitUntil"]],
    ["failed", "waiting", ["WaitUntil"]]
  ]

  for (const [name, word, actions] of table) {
    it(`while ${name}: ${word}`, () => {
      const [state, did] = step(rules, before[name], held)
      assert.strictEqual(statusWord(state), word)
      assert.deepStrictEqual(done(did), actions)
      assert.strictEqual(state.wanted, "up")
      if (word === "waiting") assert.strictEqual(reason(state), hold.because)
    })
  }

  it("starts when it is released, and a first start is no restart", () => {
    const [waiting] = step(rules, before.stopped, held)
    const [state, did] = step(rules, waiting, release)
    assert.strictEqual(statusWord(state), "starting")
    assert.deepStrictEqual(done(did), ["CancelTimer", "Spawn"])
    const [running] = step(rules, state, { _tag: "Spawned", epoch: state.epoch, pid: 7 })
    assert.strictEqual(running.totalRestarts, 0)
  })

  it("starts at its time without a release", () => {
    const [waiting] = step(rules, before.failed, held)
    const [state] = step(rules, waiting, { _tag: "Due", epoch: waiting.epoch })
    assert.strictEqual(statusWord(state), "starting")
  })

  it("is not released by the condition of another start", () => {
    const [waiting] = step(rules, before.stopped, held)
    assert.deepStrictEqual(step(rules, waiting, { _tag: "Release", because: "usage limit" }), [waiting, []])
    assert.deepStrictEqual(step(rules, before.waiting, release), [before.waiting, []])
  })

  it("released while its last process tree is stopping, starts as soon as that is gone", () => {
    const [stopping] = step(rules, before.stopping, held)
    const [released] = step(rules, stopping, release)
    const [state] = step(rules, released, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(statusWord(state), "starting")
    const [waiting] = step(rules, stopping, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(statusWord(waiting), "waiting")
  })
})

describe("a new policy during a run", () => {
  const changed = (restart: Partial<WorkerRules["restart"]>, from: WorkerState, uptimeMs = 0, leftMs = 0) =>
    step({ ...rules, restart: { ...rules.restart, ...restart } }, from, {
      _tag: "PolicyChanged",
      before: rules.restart,
      uptimeMs,
      leftMs
    })[1]

  it("the success threshold counts from the start of the worker", () => {
    assert.deepStrictEqual(changed({ successThresholdMs: 5000 }, before.running, 2000), [
      { _tag: "ArmSteady", epoch: 4, inMs: 3000 }
    ])
    assert.deepStrictEqual(changed({ successThresholdMs: 1000 }, before.running, 2000), [
      { _tag: "ArmSteady", epoch: 4, inMs: 0 }
    ])
    assert.deepStrictEqual(changed({ jitter: 1 }, before.running, 2000), [])
  })

  it("a backoff is cut to the new maximum, and never made longer", () => {
    assert.deepStrictEqual(changed({ maxBackoffMs: 2000 }, before.restarting, 0, 5000), [
      { _tag: "BackoffFor", epoch: 4, delayMs: 2000 }
    ])
    assert.deepStrictEqual(changed({ maxBackoffMs: 600_000 }, before.restarting, 0, 5000), [])
  })

  it("a failed worker is retried once recovery_cooldown_ms is set, and not when it is off", () => {
    assert.deepStrictEqual(changed({ recoveryCooldownMs: 1000 }, before.failed), [
      { _tag: "CoolDown", epoch: 4, forMs: 1000 }
    ])
    assert.deepStrictEqual(changed({}, before.failed), [])
    for (const name of ["stopped", "starting", "stopping", "waiting"] as const) {
      assert.deepStrictEqual(changed({ maxBackoffMs: 1, recoveryCooldownMs: 1 }, before[name], 9, 9), [])
    }
  })
})

describe("a command in every state is answered at once and does what the table says", () => {
  const table: ReadonlyArray<
    readonly [
      state: keyof typeof before,
      command: UserCommand,
      word: string,
      answer: string,
      done: ReadonlyArray<string>
    ]
  > = [
    ["stopped", "start", "starting", "Worker is starting", ["CancelTimer", "Spawn"]],
    ["starting", "start", "starting", "Worker is already starting", []],
    ["running", "start", "running", "Worker is already running", []],
    [
      "stopping",
      "start",
      "stopping",
      "Worker is stopping and will be started once its last process is gone",
      []
    ],
    ["restarting", "start", "starting", "Worker is starting", ["CancelTimer", "Spawn"]],
    ["waiting", "start", "starting", "Worker is starting", ["CancelTimer", "Spawn"]],
    ["failed", "start", "starting", "Worker is starting", ["CancelTimer", "Spawn"]],
    ["stopped", "stop", "stopped", "Worker stopped", []],
    ["starting", "stop", "stopping", "Worker is stopping", ["CancelTimer", "EndTree"]],
    ["running", "stop", "stopping", "Worker is stopping", ["CancelTimer", "EndTree"]],
    ["stopping", "stop", "stopping", "Worker is stopping", []],
    ["restarting", "stop", "stopped", "Worker stopped", ["CancelTimer"]],
    ["waiting", "stop", "stopped", "Worker stopped", ["CancelTimer"]],
    ["failed", "stop", "stopped", "Worker stopped", ["CancelTimer"]],
    ["stopped", "restart", "starting", "Worker restart initiated", ["CancelTimer", "Spawn"]],
    ["starting", "restart", "stopping", "Worker restart initiated", ["CancelTimer", "EndTree"]],
    ["running", "restart", "stopping", "Worker restart initiated", ["CancelTimer", "EndTree"]],
    ["stopping", "restart", "stopping", "Worker restart initiated", []],
    ["restarting", "restart", "starting", "Worker restart initiated", ["CancelTimer", "Spawn"]],
    ["waiting", "restart", "starting", "Worker restart initiated", ["CancelTimer", "Spawn"]],
    ["failed", "restart", "starting", "Worker restart initiated", ["CancelTimer", "Spawn"]]
  ]

  for (const [name, asked, word, message, actions] of table) {
    it(`${asked} while ${name}: ${word}`, () => {
      const [state, did] = step(rules, before[name], command(asked))
      assert.strictEqual(statusWord(state), word)
      assert.strictEqual(answer(did), message)
      assert.deepStrictEqual(done(did), actions)
      assert.strictEqual(state.wanted, asked === "stop" ? "down" : "up")
      if (asked !== "stop") assert.strictEqual(state.failures, 0)
    })
  }

  it("during a shutdown nothing starts, and a stop is no error", () => {
    for (const state of Object.values(before)) {
      const [draining] = step(rules, state, drain)
      assert.strictEqual(statusWord(draining), "stopping")
      for (const asked of ["start", "restart"] as const) {
        const [after, did] = step(rules, draining, command(asked))
        assert.deepStrictEqual(after, draining)
        assert.strictEqual(answer(did), `Cannot ${asked} the worker: the daemon is shutting down`)
        assert.deepStrictEqual(done(did), [])
      }
      assert.strictEqual(answer(step(rules, draining, command("stop"))[1]), "Worker is stopping")
    }
  })

  it("a second stop ends the grace period, the first one after a crash does not", () => {
    const [once, first] = step(rules, before.stopping, command("stop"))
    assert.deepStrictEqual(done(first), [])
    assert.deepStrictEqual(done(step(rules, once, command("stop"))[1]), ["Hasten"])
  })

  it("the last command wins: stop after start after stop stays stopped", () => {
    let state: WorkerState = before.running
    for (const asked of ["stop", "start", "stop"] as const) [state] = step(rules, state, command(asked))
    const [after, did] = step(rules, state, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(statusWord(after), "stopped")
    assert.deepStrictEqual(done(did), ["CancelTimer"])
  })

  it("stop wins over a restart in progress", () => {
    const [restarting] = step(rules, before.running, command("restart"))
    const [stopping] = step(rules, restarting, command("stop"))
    const [after, did] = step(rules, stopping, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(statusWord(after), "stopped")
    assert.notInclude(done(did), "Spawn")
  })
})

describe("the exit of a worker", () => {
  const ended = (
    state: WorkerState,
    code: number | null,
    uptimeMs: number,
    by: WorkerRules = rules
  ): readonly [WorkerState, ReadonlyArray<WorkerAction>] => {
    const exit = code === null ? { code: null, signal: "SIGSEGV" } : { code, signal: null }
    const [stopping, first] = step(by, state, { _tag: "Exited", epoch: 4, exit, uptimeMs })
    assert.notInclude(done(first), "Spawn")
    assert.notInclude(done(first), "Backoff")
    return step(by, stopping, { _tag: "Down", epoch: 4, seen: noEvidence })
  }

  it("nothing starts and no backoff begins before the whole process tree is gone", () => {
    const exit = { code: 1, signal: null }
    const [state, did] = step(rules, before.running, { _tag: "Exited", epoch: 4, exit, uptimeMs: 10 })
    assert.strictEqual(statusWord(state), "stopping")
    assert.deepStrictEqual(done(did), ["CancelTimer"])
  })

  it("with exit code 0 means that the work is finished", () => {
    const [state, did] = ended(before.running, 0, 5000)
    assert.strictEqual(statusWord(state), "stopped")
    assert.strictEqual(reason(state), "its work is finished (exit code 0 after 5 seconds)")
    assert.strictEqual(state.wanted, "down")
    assert.deepStrictEqual(done(did), ["CancelTimer"])
  })

  it("with another code or a signal is a failure, followed by a backoff", () => {
    for (const code of [1, null]) {
      const [state, did] = ended(before.running, code, 5000)
      assert.strictEqual(statusWord(state), "restarting")
      assert.strictEqual(state.failures, 4)
      assert.deepStrictEqual(
        did.filter(({ _tag }) => _tag === "Backoff"),
        [{ _tag: "Backoff", epoch: 5, failuresBefore: 3 }]
      )
    }
  })

  it("after a long enough run resets the failures, even if the timer lost the race", () => {
    const [state] = ended(before.running, 1, 60_000)
    assert.strictEqual(state.failures, 1)
  })

  it("the 10th failure in a row is failed, counts no restart, and stays so (D12)", () => {
    const [state, did] = ended({ ...before.running, failures: 9, totalRestarts: 9 }, 1, 5)
    assert.strictEqual(statusWord(state), "failed")
    assert.strictEqual(state.failures, 10)
    assert.strictEqual(state.totalRestarts, 9)
    assert.deepStrictEqual(done(did), ["CancelTimer"])
    assert.match(reason(state) ?? "", /^10 failures in a row, the last: exit code 1 after /)
  })

  it("failed is retried automatically only with recovery_cooldown_ms", () => {
    const patient: WorkerRules = { ...rules, restart: { ...rules.restart, recoveryCooldownMs: 600_000 } }
    const [state, did] = ended({ ...before.running, failures: 9 }, 1, 5, patient)
    assert.deepStrictEqual(done(did), ["CancelTimer", "CoolDown"])
    const [again, then] = step(patient, state, { _tag: "Due", epoch: state.epoch })
    assert.strictEqual(statusWord(again), "starting")
    assert.strictEqual(again.failures, 0)
    assert.deepStrictEqual(done(then), ["CancelTimer", "Spawn"])
  })

  it("under `always`, a clean exit after a good run starts again at once", () => {
    const [state, did] = ended(before.running, 0, 61_000, always)
    assert.strictEqual(statusWord(state), "starting")
    assert.strictEqual(state.failures, 0)
    assert.deepStrictEqual(done(did), ["CancelTimer", "Spawn"])
  })

  it("under `always`, a worker that says done every 3 s does not run all night", () => {
    const [state] = ended(before.running, 0, 3000, always)
    assert.strictEqual(statusWord(state), "restarting")
    assert.strictEqual(state.failures, 4)
    const [last] = ended({ ...before.running, failures: 9 }, 0, 3000, always)
    assert.strictEqual(statusWord(last), "failed")
  })

  it("under `always`, a worker that is done again and again pauses longer and longer, whatever the length of its runs", () => {
    const pauses = (uptimeMs: number, by: WorkerRules, turns?: number) => {
      let state: WorkerState = before.running
      return Array.from({ length: 12 }, () => {
        const work =
          turns === undefined
            ? noWork
            : { ...noWork, run: { usd: 0, isExact: true, turns, start: "fresh" as const } }
        const [after] = ended(
          { ...state, work, epoch: 4, phase: Phase.Running({ epoch: 4, pid: 99 }) },
          0,
          uptimeMs,
          by
        )
        state = after
        return after.phase._tag === "Waiting"
          ? (after.phase.untilMs - noEvidence.nowMs) / 1000
          : after.phase._tag
      })
    }
    const agent = { ...always, agent: claudePlan }
    const full = ["Starting", 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert.deepStrictEqual(pauses(61_000, agent, 2), full, "it finds nothing to do")
    assert.deepStrictEqual(pauses(3_600_000, always), full)
    assert.deepStrictEqual(pauses(61_000, always).slice(0, 6), ["Starting", 1, 2, 4, 6.1, 6.1])
    assert.deepStrictEqual(
      pauses(600_000, agent, 40).slice(-2),
      [60, 60],
      "a tenth of the time of one that works"
    )
  })

  it("before it could start is a failure like any other (D6, D7)", () => {
    const [state, did] = step(rules, before.starting, {
      _tag: "CannotStart",
      epoch: 4,
      because: "no such file",
      nowMs: 0
    })
    assert.strictEqual(statusWord(state), "restarting")
    assert.strictEqual(state.failures, 4)
    assert.include(done(did), "Backoff")
    assert.strictEqual(state.lastExit, "not started: no such file")
    assert.deepStrictEqual(state.lastEnd, { verdict: "not-started" })
  })

  it("leaves processes that survive SIGKILL: waiting, named, and nothing new starts", () => {
    const [stopping] = step(rules, before.running, command("restart"))
    const hung = (pid: number, owner?: string) => ({ pid, startTicks: 1, owner })
    const [state] = step(rules, stopping, { _tag: "Remaining", epoch: 4, survivors: [hung(77), hung(78)] })
    assert.strictEqual(statusWord(state), "waiting")
    assert.match(reason(state) ?? "", /pid 77, 78 cannot be killed/)
    // What hangs all night is told once, and again when it changes.
    const told = (...survivors: ReadonlyArray<Survivor>) =>
      step(rules, state, { _tag: "Remaining", epoch: 4, survivors })[1].map(({ _tag }) => _tag)
    assert.deepStrictEqual(told(hung(77), hung(78)), [])
    assert.deepStrictEqual(told(hung(78)), ["Publish"])
    const foreign = [hung(77), hung(78, "root"), hung(79, "root")]
    const [waiting] = step(rules, state, { _tag: "Remaining", epoch: 4, survivors: foreign })
    assert.strictEqual(
      reason(waiting),
      "the last worker's pid 77 cannot be killed (it may hang in the kernel), and pid 78, 79 belong to root, " +
        "whose processes this daemon may not kill (run: sudo kill 78 79); a new worker starts once it is gone"
    )
    const [after, did] = step(rules, state, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(statusWord(after), "starting")
    assert.include(done(did), "Spawn")
  })
})

describe("leftovers that survive SIGKILL", () => {
  it("are named in the end when the daemon stops before its worker could start", () => {
    const survivors = [{ pid: 77, startTicks: 1, owner: "root" }]
    const [held] = step(rules, before.starting, { _tag: "Remaining", epoch: 4, survivors })
    const [leaving] = step(rules, held, { _tag: "Drain", because: "the daemon is shutting down" })
    assert.deepInclude(leaving.phase, { _tag: "Stopping", remains: survivors })
  })
})

describe("time", () => {
  it("resets the failures while the worker still runs (D29)", () => {
    const [state] = step(rules, before.running, { _tag: "Steady", epoch: 4 })
    assert.strictEqual(state.failures, 0)
    assert.strictEqual(statusWord(state), "running")
  })

  it("a backoff that is over starts the worker and counts a restart once it runs", () => {
    const [starting, did] = step(rules, before.restarting, { _tag: "Due", epoch: 4 })
    assert.deepStrictEqual(done(did), ["CancelTimer", "Spawn"])
    assert.strictEqual(starting.totalRestarts, 0)
    const [running] = step(rules, starting, { _tag: "Spawned", epoch: starting.epoch, pid: 7 })
    assert.strictEqual(running.totalRestarts, 1)
  })

  it("the late report of a cancelled fiber is dropped", () => {
    const stale: ReadonlyArray<WorkerEvent> = [
      { _tag: "Spawned", epoch: 3, pid: 1 },
      { _tag: "CannotStart", epoch: 3, because: "x", nowMs: 0 },
      { _tag: "Steady", epoch: 3 },
      { _tag: "Exited", epoch: 3, exit: { code: 1, signal: null }, uptimeMs: 1 },
      { _tag: "Remaining", epoch: 3, survivors: [{ pid: 1, startTicks: 1, owner: undefined }] },
      { _tag: "Down", epoch: 3, seen: noEvidence },
      { _tag: "BackingOff", epoch: 3, delayMs: 1, dueMs: 1 },
      { _tag: "Due", epoch: 3 }
    ]
    for (const state of Object.values(before)) {
      for (const event of stale) assert.deepStrictEqual(step(rules, state, event), [state, []])
    }
  })
})

describe("a restart by the daemon", () => {
  const restartFor = (next: Extract<WorkerEvent, { _tag: "RestartFor" }>["next"]) =>
    step(rules, before.running, { _tag: "RestartFor", because: "memory", next })

  it("is no failure, and is held until its time", () => {
    const [stopping, did] = restartFor({ _tag: "hold", untilMs: 5000, awaits: "time" })
    assert.deepStrictEqual(done(did), ["CancelTimer", "EndTree"])
    const [state, then] = step(rules, stopping, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(statusWord(state), "waiting")
    assert.strictEqual(state.failures, 3)
    assert.deepStrictEqual(
      then.filter(({ _tag }) => _tag === "WaitUntil"),
      [{ _tag: "WaitUntil", epoch: 5, untilMs: 5000 }]
    )
  })

  it("can wait for memory as long as the memory guard does not release it", () => {
    const [stopping] = restartFor({ _tag: "hold", untilMs: 5000, awaits: "memory" })
    assert.strictEqual(heldForMemory(stopping)?.untilMs, 5000)
    const [held, then] = step(rules, stopping, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(statusWord(held), "waiting")
    assert.deepStrictEqual(done(then), [])
    assert.isUndefined(nextStartMs(held))
    const release: WorkerEvent = { _tag: "Release", because: "memory" }
    assert.deepStrictEqual(step(rules, held, { ...release, because: "something else" }), [held, []])
    const [started] = step(rules, held, release)
    assert.strictEqual(statusWord(started), "starting")
    assert.strictEqual(started.failures, 3)
    // Enough memory while the last process still ends: it starts as soon as that is gone.
    const [early] = step(rules, stopping, release)
    assert.strictEqual(
      statusWord(step(rules, early, { _tag: "Down", epoch: 4, seen: noEvidence })[0]),
      "starting"
    )
  })

  it("that waits for memory starts at once on a user's command", () => {
    const [stopping] = restartFor({ _tag: "hold", untilMs: 5000, awaits: "memory" })
    const [held] = step(rules, stopping, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(statusWord(step(rules, held, command("start"))[0]), "starting")
  })

  it("can be at once, or count as a failure", () => {
    const atOnce = step(rules, restartFor({ _tag: "start" })[0], {
      _tag: "Down",
      epoch: 4,
      seen: noEvidence
    })[0]
    assert.strictEqual(statusWord(atOnce), "starting")
    const failure = step(rules, restartFor({ _tag: "fail" })[0], {
      _tag: "Down",
      epoch: 4,
      seen: noEvidence
    })[0]
    assert.strictEqual(statusWord(failure), "restarting")
    assert.strictEqual(failure.failures, 4)
  })

  it("means nothing when no worker runs", () => {
    for (const [name, state] of Object.entries(before)) {
      if (name === "running") continue
      const event: WorkerEvent = { _tag: "RestartFor", because: "memory", next: { _tag: "start" } }
      assert.deepStrictEqual(step(rules, state, event), [state, []])
    }
  })
})

describe("the shutdown of the daemon", () => {
  it("stops the worker, starts nothing, and a second request ends the grace period", () => {
    const [draining, did] = step(rules, before.running, drain)
    assert.deepStrictEqual(done(did), ["CancelTimer", "EndTree"])
    assert.deepStrictEqual(done(step(rules, draining, drain)[1]), ["Hasten"])
    const [after, last] = step(rules, draining, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(after.phase._tag, "Stopped")
    assert.notInclude(done(last), "Spawn")
  })

  it("cancels a restart in progress (D2, D3)", () => {
    const [restarting] = step(rules, before.running, command("restart"))
    const [draining] = step(rules, restarting, drain)
    const [after, did] = step(rules, draining, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(after.phase._tag, "Stopped")
    assert.notInclude(done(did), "Spawn")
    for (const name of ["restarting", "waiting", "failed"] as const) {
      const [stopped] = step(rules, before[name], drain)
      assert.strictEqual(stopped.phase._tag, "Stopped")
      assert.notInclude(done(step(rules, stopped, { _tag: "Due", epoch: 4 })[1]), "Spawn")
    }
  })
})

describe("a failure without a backoff", () => {
  const atOnce: WorkerRules = { ...rules, restart: { ...rules.restart, initialBackoffMs: 0 } }

  const all = (actions: ReadonlyArray<WorkerAction>) =>
    actions.map((action) => (action._tag === "Publish" ? action.event._tag : action._tag))

  it("starts the next run in the same step, and says so before", () => {
    const [after, did] = step(atOnce, before.stopping, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(after.phase._tag, "Starting")
    assert.strictEqual(after.failures, 4)
    assert.deepStrictEqual(all(did), ["WorkerEnded", "BackingOff", "CancelTimer", "Spawn"])
  })

  it("tells a start that failed before the next one", () => {
    const failed: WorkerEvent = { _tag: "CannotStart", epoch: 4, because: "x", nowMs: 0 }
    const [, did] = step(atOnce, before.starting, failed)
    assert.deepStrictEqual(all(did), ["WorkerNotStarted", "BackingOff", "CancelTimer", "Spawn"])
  })
})
