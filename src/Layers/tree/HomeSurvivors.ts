import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isAlive, type ProcessIdentity } from "../../Domain/machine/ProcessEntry.ts"
import { isOfKnownSession } from "../../Domain/machine/ProcessTree.ts"
import type { UnservedHome } from "../../Domain/tree/UnservedHome.ts"
import { entryPrefix } from "../../Domain/WorkerId.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { knownId } from "../daemon/HomeId.ts"
import { lockOwner } from "../daemon/InstanceLock.ts"
import { ProcFs, type ProcUnreadable } from "../machine/ProcFs.ts"
import { savedTraces } from "./SavedTraces.ts"

/**
 * Finds what lives of a home while no daemon answers: the worker of a daemon that was killed goes on, and no command may
 * say that nothing runs. It sees the processes of its own PID namespace only.
 */
export class HomeSurvivors extends Context.Tag("HomeSurvivors")<
  HomeSurvivors,
  {
    readonly find: Effect.Effect<UnservedHome, ProcUnreadable>
    /** The processes of the home's workers, under any supervisor. */
    readonly workerPids: Effect.Effect<ReadonlyArray<number>, ProcUnreadable>
    /** The processes that saved files name, alive or not: the environments of their trees may be unreadable. */
    readonly named: Effect.Effect<ReadonlyArray<ProcessIdentity>, ProcUnreadable>
  }
>() {}

export const layer: Layer.Layer<HomeSurvivors, never, AutopilotHome | ProcFs> = Layer.effect(
  HomeSurvivors,
  Effect.gen(function* () {
    const home = yield* AutopilotHome
    const proc = yield* ProcFs
    const named = Effect.gen(function* () {
      const id = yield* knownId(home)
      return (yield* savedTraces(home))
        .filter(({ bootId, homeId }) => homeId === id && bootId === proc.reader.bootId())
        .flatMap(({ processes }) => processes)
    })
    const workerPids = Effect.gen(function* () {
      const id = yield* knownId(home)
      if (id === undefined) return []
      const table = yield* proc.processes
      const living = table.filter(
        (entry) => entry.pid !== process.pid && entry.session !== 0 && isAlive(entry)
      )
      const known = new Map((yield* named).map(({ pid, startTicks }) => [pid, startTicks]))
      const starts = new Map(table.map(({ pid, startTicks }) => [pid, startTicks]))
      const ofTraces = living.filter(
        (entry) =>
          known.get(entry.pid) === entry.startTicks ||
          isOfKnownSession(entry, known, (pid) => starts.get(pid))
      )
      const marked = yield* proc.carrying(
        living.map(({ pid }) => pid),
        entryPrefix(id)
      )
      return [...new Set([...ofTraces.map(({ pid }) => pid), ...marked])]
    })
    return {
      named,
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
