import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import { exitProcess } from "./ProcessExit.ts"

/**
 * Ends the process when the layers of a daemon, whose workers have exited, do not close in time: a bug in one of them would
 * keep the lock of the home, and a socket that answers for workers that no longer run.
 */
export class ClosingLimit extends Context.Tag("ClosingLimit")<
  ClosingLimit,
  {
    /** The time begins. At its end `report` runs, and the process exits with this code. */
    readonly begin: (code: number, report: Effect.Effect<void>) => Effect.Effect<void>
  }
>() {}

/** Three times what a disk that does not answer may take. */
export const closingLimitS = 30

/** The first of the layers, which closes last: until then the limit holds. */
export const layerOf = (exit: (code: number) => void): Layer.Layer<ClosingLimit> =>
  Layer.scoped(
    ClosingLimit,
    Effect.gen(function* () {
      const timer = yield* PlainTimer
      let cancel = (): void => undefined
      yield* Effect.addFinalizer(() => Effect.sync(() => cancel()))
      return {
        begin: (code, report) =>
          Effect.map(Effect.runtime<never>(), (runtime) => {
            // By the second: a process that was frozen meanwhile has its time all the same.
            const wait = (leftS: number): void => {
              cancel = timer.after(1000, () => {
                if (leftS > 1) return wait(leftS - 1)
                Runtime.runFork(runtime)(report)
                exit(code)
              })
            }
            wait(closingLimitS)
          })
      }
    })
  )

export const layer = layerOf(exitProcess)
