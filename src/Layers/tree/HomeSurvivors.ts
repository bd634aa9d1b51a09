import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isAlive, isStill, type ProcessIdentity } from "../../Domain/machine/ProcessEntry.ts"
import { TreeTrace } from "../../Domain/tree/TreeTrace.ts"
import type { UnservedHome } from "../../Domain/tree/UnservedHome.ts"
import { entryPrefix } from "../../Domain/WorkerId.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { knownId } from "../daemon/HomeId.ts"
import { lockOwner } from "../daemon/InstanceLock.ts"
import { readTextFile } from "../files/TextFile.ts"
import { ProcFs, type ProcUnreadable } from "../machine/ProcFs.ts"

/**
 * Finds what lives of a home while no daemon answers: the worker of a daemon that was killed goes on, and no command may
 * say that nothing runs. It sees the processes of its own PID namespace only.
 */
export class HomeSurvivors extends Context.Tag("HomeSurvivors")<
  HomeSurvivors,
  {
    readonly find: Effect.Effect<UnservedHome, ProcUnreadable>
    /** The processes of the home's workers, whoever supervises them. */
    readonly workerPids: Effect.Effect<ReadonlyArray<number>, ProcUnreadable>
    /** Those of them that the saved states name: their environment may be unreadable. */
    readonly named: Effect.Effect<ReadonlyArray<ProcessIdentity>, ProcUnreadable>
  }
>() {}

/** The part of a saved state that names processes. */
const decodeTrace = Schema.decodeOption(Schema.parseJson(Schema.Struct({ tree: TreeTrace })))

/** The processes that the saved states of all projects name. A state without them, or a damaged one, names none. */
const tracesIn = (stateDir: string): Effect.Effect<ReadonlyArray<TreeTrace>> =>
  Effect.promise(() => fs.readdir(stateDir).catch((): ReadonlyArray<string> => [])).pipe(
    Effect.flatMap((names) =>
      Effect.forEach(
        names.filter((name) => name.endsWith(".json")),
        (name) => Effect.option(readTextFile(join(stateDir, name)))
      )
    ),
    Effect.map((files) =>
      files.flatMap((file) =>
        Option.toArray(Option.flatMap(file, ({ text }) => decodeTrace(text))).map(({ tree }) => tree)
      )
    )
  )

export const layer: Layer.Layer<HomeSurvivors, never, AutopilotHome | ProcFs> = Layer.effect(
  HomeSurvivors,
  Effect.gen(function* () {
    const home = yield* AutopilotHome
    const proc = yield* ProcFs
    const named = Effect.gen(function* () {
      const id = yield* knownId(home)
      const traces = (yield* tracesIn(home.stateDir)).filter(
        ({ bootId, homeId }) => homeId === id && bootId === proc.reader.bootId()
      )
      const living = yield* Effect.forEach(
        traces.flatMap(({ processes }) => processes),
        (process) => Effect.map(proc.process(process.pid), (now) => (isStill(process, now) ? [process] : []))
      )
      return living.flat()
    })
    const workerPids = Effect.gen(function* () {
      const id = yield* knownId(home)
      if (id === undefined) return []
      const pids = (yield* proc.processes)
        .filter((entry) => entry.pid !== process.pid && entry.session !== 0 && isAlive(entry))
        .map(({ pid }) => pid)
      const marked = yield* proc.carrying(pids, entryPrefix(id))
      return [...new Set([...(yield* named).map(({ pid }) => pid), ...marked])]
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
