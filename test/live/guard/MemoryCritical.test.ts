import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { StatusReply } from "../../../src/Domain/status/StatusData.ts"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { command } from "../TestDaemon.ts"
import { critical, type GuardedMachine, guardedMachine, hoarding, low } from "./GuardedMachine.ts"
import { meminfoText, noOwnMachine, plenty } from "./OwnMachine.ts"

const live = unlessMissing(noOwnMachine)

const worker = hoarding({ tag: "worker", mebibytes: 60 })

const isRunning = ({ worker_status }: StatusReply): boolean => worker_status === "running"

/** The worker waits for memory. */
const isHeld = ({ reason, worker_status }: StatusReply): boolean =>
  worker_status === "waiting" && reason?.startsWith("memory ") === true

const restarts = ({ log }: GuardedMachine): ReadonlyArray<string> =>
  [...log().matchAll(/Restarting the worker: memory is .*/g)].map(([line]) => line)

/** For three seconds, in which the daemon looks at the memory thirty times and more, the status is and stays so. */
const staysSo = (
  guarded: GuardedMachine,
  what: string,
  isWanted: (data: StatusReply) => boolean,
  project?: string
) =>
  Effect.gen(function* () {
    const seen = yield* guarded.status("it answers", () => true, project)
    assert.isTrue(isWanted(seen), `${what}: ${JSON.stringify(seen)}\n${guarded.log()}`)
  }).pipe(Effect.repeat(Schedule.spaced("100 millis").pipe(Schedule.upTo("3 seconds"))))

describe("when memory is critical and there is no hog", () => {
  live("the worker is restarted once, and starts when memory is plentiful, not before", () =>
    Effect.gen(function* () {
      const guarded = yield* guardedMachine({ worker })
      const { full, logged, memoryIs, status } = guarded
      yield* full({ tag: "worker", mebibytes: 60 })
      const before = yield* status("the worker runs", isRunning)
      yield* memoryIs(critical)
      const held = yield* status("it waits for memory", isHeld)
      yield* staysSo(
        guarded,
        "nothing more is restarted while others hold the memory",
        (data) => isHeld(data) && data.total_restarts === held.total_restarts
      )
      yield* memoryIs(low)
      yield* status("memory is low", ({ memory_level }) => memory_level === "low")
      yield* staysSo(guarded, "low is not enough", isHeld)
      const [line, ...more] = restarts(guarded)
      assert.deepStrictEqual(more, [])
      assert.match(
        line ?? "",
        /memory is critical \(300 MiB of 4 GiB available, below 512 MiB\).* its 1 process holds \d\S* MiB/
      )
      yield* memoryIs(plenty)
      const after = yield* status("the worker runs again", isRunning)
      assert.notStrictEqual(after.worker_pid, before.worker_pid)
      assert.deepStrictEqual([after.total_restarts, after.consecutive_failures], [1, 0])
      yield* logged(/Starting the worker, which waited .* for memory, 2\.9\d? GiB of 4 GiB available now/)
    })
  )

  live("a person's start-worker starts it at once, and it is left to run", () =>
    Effect.gen(function* () {
      const guarded = yield* guardedMachine({ worker })
      const { home, logged, memoryIs, status } = guarded
      yield* memoryIs(critical)
      yield* status("it waits for memory", isHeld)
      const started = yield* command({ home, args: ["start-worker"] })
      assert.strictEqual(started.code, 0, started.stderr)
      const { worker_pid } = yield* status("the worker runs", isRunning)
      yield* logged(/The worker was started although memory is critical/)
      yield* staysSo(guarded, "it is left to run", (data) => data.worker_pid === worker_pid)
      assert.lengthOf(restarts(guarded), 1)
    })
  )

  live("of two projects only the one that holds more is restarted", () =>
    Effect.gen(function* () {
      const project = (name: string, mebibytes: number): string =>
        `[projects.${name}.worker_command]\ntype = "Command"\nargv = ${JSON.stringify(hoarding({ tag: name, mebibytes }))}\n`
      const guarded = yield* guardedMachine({ memory: project("small", 50) + project("large", 150) })
      const { full, memoryIs, status } = guarded
      yield* full({ tag: "large", mebibytes: 150 })
      yield* full({ tag: "small", mebibytes: 50 })
      const small = yield* status("it runs", isRunning, "small")
      yield* memoryIs(critical)
      yield* status("the large one waits for memory", isHeld, "large")
      const isLeft = (data: StatusReply) => isRunning(data) && data.worker_pid === small.worker_pid
      yield* staysSo(guarded, "the small one is left to run", isLeft, "small")
      assert.match(guarded.log(), /large: Restarting the worker: memory is critical .*"small" \(/)
      assert.lengthOf(restarts(guarded), 1)
      yield* memoryIs(plenty)
      yield* status("the large one runs again", isRunning, "large")
    })
  )

  live("a worker's first start is not held, but told of", () =>
    Effect.gen(function* () {
      const guarded = yield* guardedMachine({
        worker,
        first: (_home, machine) => machine.memoryIs(critical)
      })
      const { worker_pid } = yield* guarded.status("the worker runs", isRunning)
      yield* guarded.logged(/The worker was started although memory is critical/)
      yield* staysSo(guarded, "it is left to run", (data) => data.worker_pid === worker_pid)
    })
  )

  live("a hog is ended first, and the worker is left alone when that helps", () => {
    const attempt = Effect.gen(function* () {
      const guarded = yield* guardedMachine({ worker: hoarding({ tag: "worker", mebibytes: 150 }) })
      const { full, hoarder, isGone, log, logged, machine, memoryIs, status } = guarded
      yield* full({ tag: "worker", mebibytes: 150 })
      const before = yield* status("the worker runs", isRunning)
      // Smaller than the worker: at low memory it would be spared. While it ends, memory is looked at several times.
      const hog = yield* hoarder({
        tag: "hog",
        mebibytes: 90,
        frees: machine.meminfo,
        lingersMs: 250,
        text: meminfoText(plenty)
      })
      yield* memoryIs(critical)
      yield* isGone(hog)
      yield* logged(new RegExp(`node \\(pid ${hog}\\) exited after `))
      if (log().includes(`Sending SIGKILL to node (pid ${hog},`)) return false
      yield* status("memory is plentiful", ({ memory_level }) => memory_level === "plentiful")
      yield* staysSo(guarded, "it is left to run", ({ worker_pid }) => worker_pid === before.worker_pid)
      assert.deepStrictEqual(restarts(guarded), [])
      return true
    })
    // At critical memory a hog has half a second between SIGTERM and SIGKILL. On a busy machine it may not free its memory
    // in that time, and the daemon rightly goes on to the worker: such an attempt says nothing and is made again.
    return Effect.scoped(attempt).pipe(
      Effect.repeat({ until: (inTime) => inTime, times: 20 }),
      Effect.map((inTime) => assert.isTrue(inTime, "no hog freed its memory in time"))
    )
  })

  live("with dry_run nothing is restarted, and the log says what would be", () =>
    Effect.gen(function* () {
      const guarded = yield* guardedMachine({ memory: "dry_run = true\n", worker })
      const before = yield* guarded.status("the worker runs", isRunning)
      yield* guarded.memoryIs(critical)
      yield* guarded.logged(/else the daemon would restart the worker: memory is critical/)
      yield* staysSo(guarded, "it is left to run", ({ worker_pid }) => worker_pid === before.worker_pid)
    })
  )
})
