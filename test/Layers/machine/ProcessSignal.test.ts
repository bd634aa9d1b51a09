import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import { layerWith, ProcessSignal } from "../../../src/Layers/machine/ProcessSignal.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"
import { procFolder } from "./ProcFolder.ts"

/** A pretended /proc, and the signals sent to its processes: `after` so many the system refuses them. */
const makeProc = (refusal?: { readonly code: string; readonly after: number }) =>
  Effect.map(temporaryHome, (root) => {
    const sent: Array<string> = []
    const folder = procFolder(root)
    const put = (pid: number, start: number, state = "S") => folder.put(pid, { start, state })
    const layer = layerWith((pid, signal) => {
      if (refusal !== undefined && sent.length >= refusal.after) {
        throw Object.assign(new Error(refusal.code), { code: refusal.code })
      }
      sent.push(`${signal} ${pid}`)
    }).pipe(Layer.provide(ProcFs.layerAt(root)))
    return { folder, put, sent, layer }
  })

describe("a signal", () => {
  it.scoped("reaches the intended process, and no other one that has got its pid", () =>
    Effect.gen(function* () {
      const { layer, put, sent } = yield* makeProc()
      const { killGroup, send } = yield* Effect.provide(ProcessSignal, layer)
      const start = FastCheck.integer({ min: 1, max: 3 })
      FastCheck.assert(
        FastCheck.property(
          start,
          start,
          FastCheck.constantFrom("S", "R", "D", "T", "Z", "X"),
          (meant, now, state) => {
            put(7, now, state)
            sent.length = 0
            const outcome = Effect.runSync(send({ pid: 7, startTicks: meant }, "SIGTERM", "SIGCONT"))
            Effect.runSync(killGroup(70, { pid: 7, startTicks: meant }))
            const isMeant = meant === now && state !== "Z" && state !== "X"
            assert.strictEqual(outcome, isMeant ? "sent" : "gone")
            assert.deepStrictEqual(sent, isMeant ? ["SIGTERM 7", "SIGCONT 7", "SIGKILL -70"] : [])
          }
        )
      )
    })
  )

  it.scoped("counts as sent when it kills the process before the next one", () =>
    Effect.gen(function* () {
      for (const code of ["ESRCH", "EPERM"]) {
        const { layer, put, sent } = yield* makeProc({ code, after: 1 })
        const { send } = yield* Effect.provide(ProcessSignal, layer)
        put(7, 1)
        assert.strictEqual(yield* send({ pid: 7, startTicks: 1 }, "SIGTERM", "SIGCONT"), "sent")
        assert.deepStrictEqual(sent, ["SIGTERM 7"])
      }
    })
  )

  it.scoped("is not sent to a process that is gone", () =>
    Effect.gen(function* () {
      const { layer, sent } = yield* makeProc()
      const { isThere, send } = yield* Effect.provide(ProcessSignal, layer)
      assert.strictEqual(yield* send({ pid: 8, startTicks: 1 }, "SIGKILL"), "gone")
      assert.isFalse(yield* isThere({ pid: 8, startTicks: 1 }))
      assert.deepStrictEqual(sent, [])
    })
  )

  it.scoped("is not sent while /proc cannot be read", () =>
    Effect.gen(function* () {
      const { folder, layer, put, sent } = yield* makeProc()
      const { isThere, send } = yield* Effect.provide(ProcessSignal, layer)
      put(7, 1)
      fs.rmSync(join(folder.root, "7", "stat"))
      fs.mkdirSync(join(folder.root, "7", "stat"))
      const to = { pid: 7, startTicks: 1 }
      assert.strictEqual((yield* Effect.flip(send(to, "SIGKILL")))._tag, "ProcUnreadable")
      assert.strictEqual((yield* Effect.flip(isThere(to)))._tag, "ProcUnreadable")
      assert.deepStrictEqual(sent, [])
    })
  )

  const refusals = { EPERM: "refused", ESRCH: "gone" } as const
  for (const [code, outcome] of Object.entries(refusals)) {
    it.scoped(`that the system answers with ${code} is reported as ${outcome}`, () =>
      Effect.gen(function* () {
        const { layer, put } = yield* makeProc({ code, after: 0 })
        put(9, 1)
        const { send } = yield* Effect.provide(ProcessSignal, layer)
        assert.strictEqual(yield* send({ pid: 9, startTicks: 1 }, "SIGTERM"), outcome)
      })
    )
  }
})
