import { spawn } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { variable } from "../../../src/Domain/WorkerId.ts"
import * as ProcessSignal from "../../../src/Layers/machine/ProcessSignal.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import * as WorkerTree from "../../../src/Layers/tree/WorkerTree.ts"

/** The real /proc, with a count of the looks at it, and the pids that these read. */
const counted = (looks: { count: number; readonly read: Array<number> }) =>
  Layer.effect(
    ProcFs.ProcFs,
    Effect.map(ProcFs.ProcFs, (proc) => {
      const entry = (pid: number) => {
        looks.read.push(pid)
        return proc.reader.entry(pid)
      }
      const walks = ProcFs.walksOf({ ...proc.reader, entry }, process.pid)
      return {
        ...proc,
        walks: {
          ...walks,
          processes: (known, ofOwn) => {
            looks.count++
            return walks.processes(known, ofOwn)
          }
        }
      } satisfies ProcFs.ProcFs["Type"]
    })
  ).pipe(Layer.provide(ProcFs.layer))

/** The pid of a leader that has exited and was reaped. */
const exitedLeader = Effect.async<number>((resume) => {
  const child = spawn("/bin/true", { stdio: "ignore", detached: true })
  child.once("exit", () => resume(Effect.succeed(child.pid ?? 0)))
})

describe("the end of workers that have exited by themselves", () => {
  it.live("costs two looks at /proc, which those that end together share", () => {
    const looks = { count: 0, read: new Array<number>() }
    return Effect.gen(function* () {
      const trees = yield* WorkerTree.WorkerTree
      looks.read.length = 0
      const ended = Effect.gen(function* () {
        const pid = yield* exitedLeader
        return yield* trees.of(pid, `${variable}=looks:${pid}`, undefined)
      })
      const patient = { graceMs: 600_000, hasten: Effect.never }
      assert.deepStrictEqual(yield* trees.end(yield* ended, patient), [])
      assert.strictEqual(looks.count, 2)
      // The second look reads the processes that are new.
      assert.include(looks.read, process.pid)
      assert.strictEqual(new Set(looks.read).size, looks.read.length)
      const many = yield* Effect.replicateEffect(ended, 20)
      yield* Effect.forEach(many, (tree) => trees.end(tree, patient), { concurrency: "unbounded" })
      assert.strictEqual(looks.count, 4)
      // The first process of the machine is older than this one, and still the same.
      assert.deepStrictEqual(
        looks.read.filter((pid) => pid === 1),
        [1]
      )
      assert.strictEqual(looks.read.filter((pid) => pid === process.pid).length, 2)
    }).pipe(
      Effect.provide(WorkerTree.layer.pipe(Layer.provide(ProcessSignal.layer), Layer.provide(counted(looks))))
    )
  })
})
