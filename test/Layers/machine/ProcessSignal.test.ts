import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { layerOf, ProcessSignal } from "../../../src/Layers/machine/ProcessSignal.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const statOf = (pid: number, startTicks: number, state = "S") =>
  `${pid} (a) b) ${state} 1 ${pid} ${pid} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${startTicks} 1000 100 0 0`

/** A /proc in which the test puts processes, and the signals that arrive there: so many, then they are refused. */
const makeProc = (refusal?: { readonly code: string; readonly after: number }) =>
  Effect.map(temporaryHome, (root) => {
    const sent: Array<string> = []
    const put = (pid: number, startTicks: number, state?: string) => {
      fs.mkdirSync(join(root, String(pid)), { recursive: true })
      fs.writeFileSync(join(root, String(pid), "stat"), statOf(pid, startTicks, state))
    }
    const layer = layerOf(root, (pid, signal) => {
      if (refusal !== undefined && sent.length >= refusal.after) {
        throw Object.assign(new Error(refusal.code), { code: refusal.code })
      }
      sent.push(`${signal} ${pid}`)
    })
    return { put, sent, layer }
  })

describe("a signal", () => {
  it.scoped("goes to the process that is meant, and to no other one that has its pid now", () =>
    Effect.gen(function* () {
      const { layer, put, sent } = yield* makeProc()
      const { send } = yield* Effect.provide(ProcessSignal, layer)
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
            const isMeant = meant === now && state !== "Z" && state !== "X"
            assert.strictEqual(outcome, isMeant ? "sent" : "gone")
            assert.deepStrictEqual(sent, isMeant ? ["SIGTERM 7", "SIGCONT 7"] : [])
          }
        )
      )
    })
  )

  it.scoped("that has reached its process was sent, also when that dies of it before the next one", () =>
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

  it.scoped("to a process that is gone goes to nobody", () =>
    Effect.gen(function* () {
      const { layer, sent } = yield* makeProc()
      const { isThere, send } = yield* Effect.provide(ProcessSignal, layer)
      assert.strictEqual(yield* send({ pid: 8, startTicks: 1 }, "SIGKILL"), "gone")
      assert.isFalse(yield* isThere({ pid: 8, startTicks: 1 }))
      assert.deepStrictEqual(sent, [])
    })
  )

  const refusals = { EPERM: "refused", ESRCH: "gone" } as const
  for (const [code, outcome] of Object.entries(refusals)) {
    it.scoped(`that the system answers with ${code} is told as ${outcome}`, () =>
      Effect.gen(function* () {
        const { layer, put } = yield* makeProc({ code, after: 0 })
        put(9, 1)
        const { send } = yield* Effect.provide(ProcessSignal, layer)
        assert.strictEqual(yield* send({ pid: 9, startTicks: 1 }, "SIGTERM"), outcome)
      })
    )
  }
})
