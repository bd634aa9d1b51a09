import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isAlive } from "../../Domain/machine/ProcessEntry.ts"
import type { Survivors } from "../../Domain/tree/Survivors.ts"
import { entryPrefix } from "../../Domain/WorkerId.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { knownId } from "../daemon/HomeId.ts"
import { lockOwner } from "../daemon/InstanceLock.ts"
import { ProcFs, type ProcUnreadable } from "../machine/ProcFs.ts"

/**
 * Finds what lives of a home while no daemon answers: the worker of a daemon that was killed goes on, and no command may
 * say that nothing runs. It sees the processes of its own PID namespace only.
 */
export class HomeSurvivors extends Context.Tag("HomeSurvivors")<
  HomeSurvivors,
  {
    readonly find: Effect.Effect<Survivors, ProcUnreadable>
    /** The processes of the home's workers, whoever supervises them. */
    readonly workerPids: Effect.Effect<ReadonlyArray<number>, ProcUnreadable>
  }
>() {}

export const layer: Layer.Layer<HomeSurvivors, never, AutopilotHome | ProcFs> = Layer.effect(
  HomeSurvivors,
  Effect.gen(function* () {
    const home = yield* AutopilotHome
    const proc = yield* ProcFs
    const workerPids = Effect.gen(function* () {
      const id = yield* knownId(home)
      if (id === undefined) return []
      const pids = (yield* proc.processes)
        .filter((entry) => entry.pid !== process.pid && entry.session !== 0 && isAlive(entry))
        .map(({ pid }) => pid)
      return [...(yield* proc.carrying(pids, entryPrefix(id)))]
    })
    return {
      workerPids,
      find: Effect.gen(function* () {
        const isThere = yield* Effect.promise(() =>
          fs.access(home.root).then(
            () => true,
            () => false
          )
        )
        return { daemonPid: yield* lockOwner(home), workerPids: isThere ? yield* workerPids : [] }
      })
    }
  })
)
