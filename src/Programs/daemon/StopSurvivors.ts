import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { processes } from "../../Domain/text/Amounts.ts"
import { describeSurvivors, pidsOf } from "../../Domain/tree/Survivor.ts"
import { entryPrefix } from "../../Domain/WorkerId.ts"
import type { NotRunning } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { knownId } from "../../Layers/daemon/HomeId.ts"
import { acquireLock } from "../../Layers/daemon/InstanceLock.ts"
import { loadSettings } from "../../Layers/settings/SettingsLoader.ts"
import { HomeSurvivors } from "../../Layers/tree/HomeSurvivors.ts"
import { WorkerTree } from "../../Layers/tree/WorkerTree.ts"
import { sayDone } from "../Answer.ts"
import { notAlone } from "../NotAlone.ts"
import { Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"
import { stillAlive } from "./Stop.ts"

/** For settings that cannot be read. */
const usualGraceMs = 10_000

/** The longest grace period of all projects: nobody knows which of them left these processes. */
const graceOf = Effect.fnUntraced(function* (invocation: Invocation) {
  const settings = yield* Effect.either(loadSettings(yield* sourcesOf(invocation)))
  return Either.match(settings, {
    onLeft: () => usualGraceMs,
    onRight: ({ projects }) => Math.max(...projects.map((project) => project.settings.restart.stopGraceMs))
  })
})

/**
 * `autopilotd stop` without a daemon: stops the workers that a killed daemon has left. The lock keeps a daemon from
 * starting meanwhile. Says so when there are none: nothing runs, as it was asked for.
 */
export const stopSurvivors = Effect.fnUntraced(function* (invocation: Invocation, notRunning: NotRunning) {
  const home = yield* AutopilotHome
  const { find, named } = yield* HomeSurvivors
  const found = yield* find
  const id = yield* knownId(home)
  if (found.daemonPid !== undefined) {
    const { message } = yield* Effect.flip(notAlone(notRunning))
    return yield* new Refused({ reason: message, code: "no_answer" })
  }
  const report = (message: string) => sayDone(invocation, { message }, `${message}\n`)
  if (found.workerPids.length === 0 || id === undefined) {
    return yield* report("No daemon was running, and nothing of one is left")
  }
  yield* acquireLock(home)
  const { end } = yield* WorkerTree
  const seen = new Map<number, number>()
  const tree = { leader: undefined, mark: entryPrefix(id), groups: [], earlier: yield* named, seen }
  const left = yield* end(tree, { graceMs: yield* graceOf(invocation), hasten: Effect.never })
  if (left.length > 0)
    return yield* stillAlive("No daemon was running", pidsOf(left), describeSurvivors(left))
  yield* report(
    `No daemon was running. Stopped what a killed daemon had left: ${processes([...seen.keys()])}`
  )
}, Effect.scoped)
