import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Uncaught from "../../../src/Layers/daemon/Uncaught.ts"
import { eventually } from "../../live/TestDaemon.ts"

describe("an uncaught exception", () => {
  it.scopedLive(
    "does not kill the process: it is logged with its stack, and reported to the shutdown",
    () => {
      const logged: Array<string> = []
      const log = Logger.make(
        ({ cause, message }) => void logged.push(`${String(message)} ${Cause.pretty(cause)}`)
      )
      return Effect.gen(function* () {
        const before = process.listeners("uncaughtException")
        yield* Effect.gen(function* () {
          const { first } = yield* Uncaught.Uncaught
          // Thrown for real it would be vitest's to catch; what was added is called as Node would.
          const [listener] = process.listeners("uncaughtException").filter((each) => !before.includes(each))
          listener?.(new Error("thrown in a callback"), "uncaughtException")
          yield* first
          yield* eventually("logged", () => logged[0])
          assert.match(
            logged[0] ?? "",
            /^An exception outside of every fiber: this is a bug in autopilotd, the daemon stops Error: thrown in a callback\n {4}at /
          )
          if (listener !== undefined) process.off("uncaughtException", listener)
          for (const each of process.listeners("unhandledRejection")) {
            if (String(each) === String(listener)) process.off("unhandledRejection", each)
          }
        }).pipe(Effect.provide(Layer.provideMerge(Uncaught.layer, Logger.replace(Logger.defaultLogger, log))))
      })
    }
  )
})
