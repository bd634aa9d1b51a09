import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ProjectName } from "../../Domain/Project.ts"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import { LogSettings } from "../../Domain/settings/LogSettings.ts"
import { Concerns } from "../history/Concerns.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"

/** The `[log]` settings of a project as they are now, for those who cannot wait: they ask for every piece of output. */
export class LogSettingsInForce extends Context.Tag("LogSettingsInForce")<
  LogSettingsInForce,
  (project: ProjectName) => LogSettings
>() {}

const byProject = ({ projects }: EffectiveSettings): ReadonlyMap<ProjectName, LogSettings> =>
  new Map(projects.map(({ project, settings }) => [project, settings.log]))

export const layer: Layer.Layer<LogSettingsInForce, never, SettingsInForce | Concerns> = Layer.scoped(
  LogSettingsInForce,
  Effect.gen(function* () {
    const { current } = yield* SettingsInForce
    const concerns = yield* Concerns
    const byDefault = Schema.decodeUnknownSync(LogSettings)({})
    let known = byProject(yield* SubscriptionRef.get(current))
    yield* concerns.run(
      "log settings",
      Stream.runForEach(current.changes, (settings) =>
        Effect.sync(() => {
          // A project that was removed is still ended, by what held for it.
          known = new Map([...known, ...byProject(settings)])
        })
      )
    )
    return (project) => known.get(project) ?? byDefault
  })
)
