import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ConfigProblem } from "../../Domain/config/SettingsData.ts"
import type { ControlResponse } from "../../Domain/control/ControlProtocol.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { SettingsProblem } from "../../Domain/settings/SettingsProblem.ts"
import { SettingsReload } from "../config/SettingsReload.ts"
import { SettingsStore } from "../config/SettingsStore.ts"
import type { UnknownProject } from "../worker/Supervisor.ts"

/** What the control socket is answered about settings. A refusal is an answer, with every problem at its place. */
export class SettingsAnswers extends Context.Tag("SettingsAnswers")<
  SettingsAnswers,
  {
    readonly get: Effect.Effect<ControlResponse>
    readonly set: (text: string, sha256: string, dryRun: boolean) => Effect.Effect<ControlResponse>
    /** Restarts, if that is wanted, the workers that need it, or that of one project. */
    readonly reload: (
      project: ProjectName | undefined,
      restart: boolean
    ) => Effect.Effect<ControlResponse, UnknownProject>
  }
>() {}

const asked = "asked on the control socket"

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

const refused = (problems: ReadonlyArray<SettingsProblem>, what: string) =>
  refusal(
    `${what}: the settings have ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`,
    problems
  )

const goOn = "Nothing was changed, the settings in force go on"

const nobodyToSupervise = ({ message }: { readonly message: string }) =>
  Effect.succeed(refusal(`${goOn}. ${message}`))

const make = Effect.gen(function* () {
  const store = yield* SettingsStore
  const settings = yield* SettingsReload
  return SettingsAnswers.of({
    get: store.get.pipe(
      Effect.map((data): ControlResponse => ({ success: true, message: `Settings of ${data.path}`, data })),
      Effect.catchTag("SettingsError", ({ message, problems }) => Effect.succeed(refusal(message, problems)))
    ),
    set: (text, sha256, dryRun) =>
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
    reload: (project, restart) =>
      settings.reload({ by: asked, restart, ...(project === undefined ? {} : { project }) }).pipe(
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
          SettingsError: ({ problems }) => Effect.succeed(refused(problems, goOn)),
          NoWorkerCommand: nobodyToSupervise,
          ProjectsWithoutWorker: nobodyToSupervise
        })
      )
  })
})

export const layer: Layer.Layer<SettingsAnswers, never, SettingsStore | SettingsReload> = Layer.effect(
  SettingsAnswers,
  make
)
