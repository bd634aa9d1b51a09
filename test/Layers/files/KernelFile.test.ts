import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { kernelFiles } from "../../../src/Layers/files/KernelFile.ts"

describe("a file of the kernel", () => {
  it.scoped("is read whole, again and again, also where the kernel hands it out in pieces", () =>
    Effect.gen(function* () {
      const waiting = yield* Effect.acquireRelease(
        Effect.sync(() => spawn("cat", { stdio: ["pipe", "pipe", "ignore"] })),
        (child) => Effect.sync(() => void child.kill())
      )
      // It has started once it answers.
      waiting.stdin.write("x")
      yield* Effect.promise(() => once(waiting.stdout, "data"))
      // Several pages, which do not change in a process that waits.
      const path = `/proc/${waiting.pid}/smaps`
      const open = kernelFiles()
      const file = open(path)
      const short = open("/proc/self/cgroup")
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          file.close()
          short.close()
        })
      )
      // The sizes may change while the kernel reclaims memory.
      const mappings = (text: string) => text.split("\n").filter((line) => /^[0-9a-f]+-[0-9a-f]+ /.test(line))
      const whole = fs.readFileSync(path, "latin1")
      assert.isAbove(whole.length, 8192)
      for (let time = 0; time < 3; time++) {
        const text = file.text()
        assert.deepStrictEqual(mappings(text), mappings(whole))
        assert.strictEqual(short.text(), fs.readFileSync("/proc/self/cgroup", "latin1"))
      }
    })
  )
})
