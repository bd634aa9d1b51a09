import * as Effect from "effect/Effect"
import type { ConfigProblem } from "../../Domain/config/SettingsData.ts"
import type { ControlResponse } from "../../Domain/control/ControlProtocol.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { SettingsProblem } from "../../Domain/settings/SettingsProblem.ts"
import { SettingsReload } from "../config/SettingsReload.ts"
import { SettingsStore } from "../config/SettingsStore.ts"

const onWire = ({ column, key, line, nearest, reason }: SettingsProblem): ConfigProblem => ({
  ...(line === undefined ? {} : { line }),
  ...(column === undefined ? {} : { column }),
  ...(key === undefined ? {} : { key }),
  reason,
  ...(nearest === undefined ? {} : { nearest })
})

const refusal = (message: string, problems: ReadonlyArray<SettingsProblem> = []): ControlResponse => ({
  success: false,
  message,
  data: { problems: problems.map(onWire) }
})

const refused = (problems: ReadonlyArray<SettingsProblem>, consequence: string) =>
  refusal(
    `${consequence}: the settings have ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`,
    problems
  )

const unchanged = "Nothing was changed, and the settings in force stay"

const withoutWorker = ({ message }: { readonly message: string }) =>
  Effect.succeed(refusal(`${unchanged}. ${message}`))

/** Answers the requests about settings. A refusal is an answer too, with the place of every problem. */
export const make = Effect.gen(function* () {
  const store = yield* SettingsStore
  const settings = yield* SettingsReload
  return {
    get: store.get.pipe(
      Effect.map((data): ControlResponse => ({ success: true, message: `Settings of ${data.path}`, data })),
      Effect.catchTag("SettingsError", ({ message, problems }) => Effect.succeed(refusal(message, problems)))
    ),
    set: (text: string, sha256: string, dryRun: boolean) =>
      store.set({ text, sha256, dryRun }).pipe(
        Effect.map(
          (data): ControlResponse => ({
            success: true,
            message: data.written ? `Written to ${data.path}` : "Nothing was written: this was a dry run",
            data
          })
        ),
        Effect.catchTags({
          SettingsError: ({ problems }) => Effect.succeed(refused(problems, "Nothing was written")),
          StaleSettings: ({ message, sha256: now }) =>
            Effect.succeed<ControlResponse>({
              success: false,
              message,
              data: { problems: [], stale_sha256: now }
            }),
          SettingsNotWritten: ({ message }) => Effect.succeed(refusal(message))
        })
      ),
    run: settings.run,
    /** With `restart`, restarts the workers that need it, or that of one project. */
    reload: (project: ProjectName | undefined, restart: boolean) =>
      settings
        .reload({
          by: "requested on the control socket",
          restart,
          ...(project === undefined ? {} : { project })
        })
        .pipe(
          Effect.map(
            (data): ControlResponse => ({
              success: true,
              message:
                data.changes.length + data.projects_added.length + data.projects_removed.length === 0
                  ? "Settings reloaded: nothing has changed"
                  : "Settings reloaded",
              data
            })
          ),
          Effect.catchTags({
            SettingsError: ({ problems }) => Effect.succeed(refused(problems, unchanged)),
            NoWorkerCommand: withoutWorker,
            ProjectsWithoutWorker: withoutWorker
          })
        )
  }
})
