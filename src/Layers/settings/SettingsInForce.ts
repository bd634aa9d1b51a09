import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProjectName } from "../../Domain/Project.ts"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import type { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import type { AddedProject, AddedProjects } from "../../Domain/settings/SettingsProjects.ts"
import { afterEach, type Listen, makeListeners } from "../concurrency/Listeners.ts"
import type { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { MemoryReader } from "../machine/MemoryReader.ts"
import { addedProjectsFile } from "./AddedProjectsFile.ts"
import { SettingsFile } from "./SettingsFile.ts"
import { loadUsable } from "./SettingsLoader.ts"
import type { SettingsSources } from "./SettingsLoading.ts"
import type { SettingsText } from "./SettingsText.ts"

/** The settings in force. A layer that acts on one that can change hears of each change. */
export class SettingsInForce extends Context.Tag("SettingsInForce")<
  SettingsInForce,
  {
    readonly now: () => EffectiveSettings
    /** Hears of each change of them. */
    readonly changed: Listen<[]>
    /** Loads the settings of the present file, or of another text for it, as `loadUsable` does. Changes nothing. */
    readonly load: (candidate?: SettingsText) => Effect.Effect<EffectiveSettings, SettingsError>
    /** Brings loaded settings into force. */
    readonly accept: (settings: EffectiveSettings) => Effect.Effect<void>
    /** Loads the text that is in force, whatever the file holds by now, with one more project beside it. */
    readonly loadWith: (
      name: ProjectName,
      project: AddedProject
    ) => Effect.Effect<EffectiveSettings, SettingsError>
    /** The next daemon starts without the projects that were added. */
    readonly forgetAdded: Effect.Effect<void>
  }
>() {}

/** Loads settings from these sources, on this machine. */
export const loader = (sources: SettingsSources) =>
  Effect.fnUntraced(function* (candidate?: SettingsText) {
    const { reading } = (yield* MemoryReader).read()
    const effectiveTotalBytes = reading === undefined ? {} : { effectiveTotalBytes: reading.totalBytes }
    return yield* loadUsable({ ...sources, ...effectiveTotalBytes }, candidate)
  })

/** With `keepState` the projects count that were added to an earlier daemon. */
export const layer = (
  sources: SettingsSources,
  { keepState }: { readonly keepState: boolean }
): Layer.Layer<SettingsInForce, SettingsError, SettingsFile | AutopilotHome | MemoryReader | InstanceLock> =>
  Layer.scoped(
    SettingsInForce,
    Effect.gen(function* () {
      const context = yield* Effect.context<SettingsFile | AutopilotHome | MemoryReader>()
      const files = yield* SettingsFile
      const file = yield* addedProjectsFile
      const { remade } = yield* InstanceLock
      let added = keepState ? yield* file.read : new Map<string, AddedProject>()
      const first = yield* loader({ ...sources, added })()
      let inForce = first
      const changed = makeListeners<[]>()
      const keep = (projects: AddedProjects) => {
        added = new Map(projects)
        return file.write(added)
      }
      if (!keepState) yield* keep(added)
      yield* afterEach(
        remade,
        Effect.suspend(() => file.write(added))
      )
      const loadBeside = (beside: AddedProjects, candidate?: SettingsText) =>
        Effect.provide(loader({ ...sources, about: first.about, added: beside })(candidate), context)
      /** The projects of a `loadWith` that nobody has accepted yet. */
      let offered = added
      return {
        now: () => inForce,
        changed: changed.listen,
        load: (candidate) => loadBeside(added, candidate),
        loadWith: (name, project) =>
          Effect.gen(function* () {
            const { settingsFile } = inForce
            const { found, path, text } = settingsFile
            offered = new Map([...added, [name, project]])
            return yield* loadBeside(offered, { ...(yield* files.parsed(path, text)), found })
          }),
        accept: (settings) =>
          Effect.zipRight(
            Effect.sync(() => {
              inForce = settings
              changed.tell()
            }),
            // What the file has by now is the file's.
            keep(new Map([...offered, ...added].filter(([name]) => settings.added.includes(name))))
          ),
        forgetAdded: file.write(new Map())
      }
    })
  )
