import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { projectOf } from "../../Domain/history/DaemonEvent.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { Refused } from "../Refused.ts"

const ofDaemon = Effect.gen(function* () {
  const { request } = yield* ControlClient
  const { data } = yield* request({ type: "Projects" })
  return data?.projects.map(({ name }) => name) ?? []
}).pipe(Effect.orElseSucceed((): ReadonlyArray<string> => []))

/** Settings that cannot be read name no project: the command that needs them says why. */
const ofSettings = Effect.gen(function* () {
  const { cwd, environment, userHome } = yield* Caller
  // Only a name that is unknown so far waits for these to load.
  const { loadUsable } = yield* Effect.promise(() => import("../../Layers/settings/SettingsLoader.ts"))
  const SettingsFile = yield* Effect.promise(() => import("../../Layers/settings/SettingsFile.ts"))
  const settings = yield* Effect.option(loadUsable({ cwd, environment, userHome, commandLine: {} })).pipe(
    Effect.provide(SettingsFile.layer)
  )
  return Option.match(settings, {
    onNone: () => [],
    onSome: ({ projects, settingsFile }) => (settingsFile.found ? projects.map(({ project }) => project) : [])
  })
})

/** Refuses a project that neither the daemon, nor the settings, nor the history knows. */
export const requireProject = Effect.fnUntraced(function* (project: ProjectName) {
  const { read } = yield* HistoryReader
  const { records } = yield* read({})
  const known = new Set<string>([
    ...(yield* ofDaemon),
    ...(yield* ofSettings),
    ...records.flatMap((record) => projectOf(record) ?? [])
  ])
  if (known.has(project)) return
  const names =
    known.size === 0 ? "Nothing has run in this home yet" : `The projects are: ${[...known].join(", ")}`
  return yield* new Refused({
    reason: `There is no project "${project}" here. ${names}.`,
    code: "unknown_project"
  })
})
