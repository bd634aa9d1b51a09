import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { listenForSignals, Signals } from "../../../src/Layers/daemon/Signals.ts"

describe("a signal to the daemon", () => {
  it.scoped(
    "counts once when one Ctrl-C arrives twice, from the terminal and from npm, and again later",
    () =>
      Effect.gen(function* () {
        const names = process.eventNames().filter((name) => String(name).startsWith("SIG"))
        const before = new Map(names.map((name) => [name, process.listeners(name as "SIGINT")]))
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            for (const name of process.eventNames())
              if (String(name).startsWith("SIG"))
                for (const listener of process.listeners(name as "SIGINT"))
                  if (!before.get(name)?.includes(listener)) process.removeListener(name, listener)
          })
        )
        let nowMs = 1000
        const layer = listenForSignals(() => nowMs)
        // The emitter calls the listeners as for a signal of the kernel; no process gets one.
        const send = (name: NodeJS.Signals, atMs: number) => {
          nowMs = atMs
          process.emit(name, name)
        }
        send("SIGINT", 1000)
        send("SIGINT", 1200)
        send("SIGTERM", 1210)
        send("SIGINT", 1499)
        send("SIGINT", 1501)
        const { next } = yield* Effect.provide(Signals, layer)
        const seen = [yield* next, yield* next, yield* next].map((event) =>
          event._tag === "Signal" ? event.name : event._tag
        )
        assert.deepStrictEqual(seen, ["SIGINT", "SIGTERM", "SIGINT"])
      })
  )
})
