import { resolve } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ConfigText, ConfigWritten } from "../../Domain/config/SettingsData.ts"
import { settingsChanges } from "../../Domain/config/SettingsDiff.ts"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import { newlyRefused } from "../../Domain/settings/RefusedProjects.ts"
import { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import { AutopilotHome, prepare } from "../daemon/AutopilotHome.ts"
import { sha256Of } from "../files/Sha256.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import type { MemoryReader } from "../machine/MemoryReader.ts"
import { SettingsFile } from "../settings/SettingsFile.ts"
import { loader, SettingsInForce } from "../settings/SettingsInForce.ts"
import type { SettingsSources } from "../settings/SettingsLoading.ts"
import { SettingsNotWritten, StaleSettings } from "../settings/SettingsReplacement.ts"
import type { SettingsText } from "../settings/SettingsText.ts"

/** Reads and writes the whole text of the settings file, and checks it before anything is written. */
export class SettingsStore extends Context.Tag("SettingsStore")<
  SettingsStore,
  {
    readonly get: Effect.Effect<ConfigText, SettingsError>
    /** Writes the text if the file still has this hash. A dry run only returns the changes. */
    readonly set: (change: {
      readonly text: string
      readonly sha256: string
      readonly dryRun: boolean
    }) => Effect.Effect<ConfigWritten, SettingsError | StaleSettings | SettingsNotWritten>
  }
>() {}

const gone =
  "is gone, and the settings in force came from it. Restore it (daemon.toml.bak is what it was before the last change), or stop the daemon to start over"

interface Surroundings {
  readonly path: string
  /** Whether the settings in force came from this file. */
  readonly mustExist: boolean
  /** The settings that the new text is compared with. */
  readonly before: Effect.Effect<EffectiveSettings, SettingsError>
  readonly load: (candidate: SettingsText) => Effect.Effect<EffectiveSettings, SettingsError>
  /** Creates the folder of the file. */
  readonly makeFolder?: Effect.Effect<void, SettingsNotWritten>
}

const make = ({ before, load, makeFolder = Effect.void, mustExist, path }: Surroundings) =>
  Effect.map(SettingsFile, (files) => {
    // An absent file can be written, too. But one that is gone takes its settings along: a text that starts over, with
    // one key, would replace them all.
    const get = files.text(path, { mustExist: false }).pipe(
      Effect.filterOrFail(
        ({ found }) => found || !mustExist,
        () => new SettingsError({ problems: [{ file: path, reason: gone }] })
      )
    )
    return SettingsStore.of({
      get,
      set: Effect.fnUntraced(function* ({ dryRun, sha256, text }) {
        const candidate = yield* files.parsed(path, text)
        const [was, next] = [yield* before, yield* load(candidate)]
        const problems = newlyRefused(was, next)
        if (problems.length > 0) return yield* Effect.fail(new SettingsError({ problems }))
        const changes = settingsChanges(was, next)
        if (!dryRun) yield* Effect.zipRight(makeFolder, files.replace(path, { text, expectedSha256: sha256 }))
        else {
          const found = yield* get
          if (found.sha256 !== sha256) return yield* new StaleSettings({ path, sha256: found.sha256 })
        }
        return { ...changes, written: !dryRun, path, sha256: sha256Of(text) }
      })
    })
  })

/** The daemon's store: it compares a text with the settings in force, and publishes an event for each write. */
export const layer: Layer.Layer<SettingsStore, never, SettingsFile | SettingsInForce | DaemonEvents> =
  Layer.effect(
    SettingsStore,
    Effect.gen(function* () {
      const { load, now } = yield* SettingsInForce
      const events = yield* DaemonEvents
      const { found, path } = now().settingsFile
      const store = yield* make({ path, mustExist: found, before: Effect.sync(now), load })
      return {
        ...store,
        set: (change) =>
          Effect.tap(store.set(change), ({ changes, path, written }) =>
            written
              ? events.publish({ _tag: "SettingsWritten", path, changed: changes.map(({ key }) => key) })
              : Effect.void
          )
      }
    })
  )

/** The store of a command without a daemon: it compares a text with the present file. */
export const layerOf = (
  sources: SettingsSources
): Layer.Layer<SettingsStore, never, SettingsFile | AutopilotHome | MemoryReader> =>
  Layer.effect(
    SettingsStore,
    Effect.gen(function* () {
      const context = yield* Effect.context<SettingsFile | AutopilotHome | MemoryReader>()
      const files = yield* SettingsFile
      const { settingsFile } = yield* AutopilotHome
      const { configFile, cwd } = sources
      const path = configFile === undefined ? settingsFile : resolve(cwd, configFile)
      // If the present file is not valid, every setting of the new one counts as changed.
      const before = Effect.orElse(loader(sources)(), () =>
        Effect.flatMap(files.parsed(path, ""), loader(sources))
      )
      return yield* make({
        path,
        mustExist: false,
        before: Effect.provide(before, context),
        load: (candidate) => Effect.provide(loader(sources)(candidate), context),
        makeFolder:
          configFile === undefined
            ? prepare.pipe(
                Effect.mapError(
                  ({ advice, reason }) =>
                    new SettingsNotWritten({ path, reason: `was not written: ${reason}. ${advice}` })
                ),
                Effect.provide(context)
              )
            : Effect.void
      })
    })
  )
