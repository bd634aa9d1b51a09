import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layer, layerAt, ProcessActivity } from "../../../src/Layers/machine/ProcessActivity.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"

describe("what processes and files do", () => {
  it.scopedLive("is seen by the CPU time of a process that works", () =>
    Effect.gen(function* () {
      const { cpuMs } = yield* ProcessActivity
      const used = Effect.map(cpuMs([process.pid]), (times) => times.get(process.pid) ?? -1)
      const before = yield* used
      assert.isAbove(before, 0)
      yield* eventually(
        "this process has worked",
        Effect.map(used, (now) => {
          for (let round = 0; round < 1e7; round++) Math.sqrt(round)
          return now > before ? true : undefined
        })
      )
    }).pipe(Effect.provide(layer))
  )

  it.scoped("is read of a process whatever it calls itself, and of none that is gone", () =>
    Effect.gen(function* () {
      const root = yield* temporaryHome
      fs.mkdirSync(join(root, "7"))
      fs.writeFileSync(
        join(root, "7", "stat"),
        "7 (a) S 1 2) R 1 7 7 0 -1 0 0 0 0 0 250 50 9 9 20 0 1 0 5 1000 100"
      )
      const { cpuMs } = yield* Effect.provide(ProcessActivity, layerAt(root))
      assert.deepStrictEqual([...(yield* cpuMs([7, 8]))], [[7, 3000]])
    })
  )

  it.scoped("is seen when a file is written to, comes or goes, also in a folder that is watched", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const { files } = yield* ProcessActivity
      const folder = join(home, "sessions")
      const file = join(folder, "one.jsonl")
      const look = files([folder, join(home, "absent")])
      const seen = [yield* look]
      const note = Effect.map(look, (now) => {
        assert.notInclude(seen, now)
        seen.push(now)
      })
      fs.mkdirSync(folder)
      yield* note
      fs.writeFileSync(file, "a")
      fs.utimesSync(file, 5000, 5000)
      fs.utimesSync(folder, 6000, 6000)
      yield* note
      fs.utimesSync(file, 7000, 7000)
      yield* note
      assert.strictEqual(yield* look, seen.at(-1))
      fs.rmSync(folder, { recursive: true })
      assert.strictEqual(yield* look, seen[0])
    }).pipe(Effect.provide(layer))
  )
})
