import * as Effect from "effect/Effect"
import type { ConfigProblem } from "../../Domain/config/SettingsData.ts"
import type { ControlResponse } from "../../Domain/control/ControlProtocol.ts"
import { type CodedError, codeOf } from "../../Domain/control/ErrorCode.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { SettingsError, SettingsProblem } from "../../Domain/settings/SettingsProblem.ts"
import { SettingsReload } from "../config/SettingsReload.ts"
import { SettingsStore } from "../config/SettingsStore.ts"

const onWire = ({ column, key, line, nearest, reason }: SettingsProblem): ConfigProblem => ({
  ...(line === undefined ? {} : { line }),
  ...(column === undefined ? {} : { column }),
  ...(key === undefined ? {} : { key }),
  reason,
  ...(nearest === undefined ? {} : { nearest })
})

const refusal = (
  error: CodedError,
  message: string,
  problems: ReadonlyArray<SettingsProblem> = []
): ControlResponse => ({
  success: false,
  message,
  code: codeOf(error),
  data: { problems: problems.map(onWire) }
})

const refused = (error: SettingsError, consequence: string) => {
  const { problems } = error
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`
  return refusal(error, `${consequence}: the settings have ${count}`, problems)
}

const unchanged = "Nothing was changed, and the settings in force stay"

const withoutWorker = (error: CodedError & { readonly message: string }) =>
  Effect.succeed(refusal(error, `${unchanged}. ${error.message}`))

/** Answers the requests about settings. A refusal is an answer too, with the place of every problem. */
export const make = Effect.gen(function* () {
  const store = yield* SettingsStore
  const settings = yield* SettingsReload
  return {
    get: store.get.pipe(
      Effect.map((data): ControlResponse => ({ success: true, message: `Settings of ${data.path}`, data })),
      Effect.catchTag("SettingsError", (error) =>
        Effect.succeed(refusal(error, error.message, error.problems))
      )
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
          SettingsError: (error) => Effect.succeed(refused(error, "Nothing was written")),
          StaleSettings: (error) =>
            Effect.succeed<ControlResponse>({
              success: false,
              message: error.message,
              code: codeOf(error),
              data: { problems: [], stale_sha256: error.sha256 }
            }),
          SettingsNotWritten: (error) => Effect.succeed(refusal(error, error.message))
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
            SettingsError: (error) => Effect.succeed(refused(error, unchanged)),
            NoWorkerCommand: withoutWorker,
            ProjectsWithoutWorker: withoutWorker
          })
        )
  }
})
