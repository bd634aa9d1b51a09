import * as Effect from "effect/Effect"
import type { Invocation } from "../Domain/cli/CommandLine.ts"
import { Caller } from "../Layers/daemon/Caller.ts"
import type { SettingsSources } from "../Layers/settings/SettingsLoading.ts"

/** The sources of settings of an invocation: its options, and the caller's environment and folder. */
export const sourcesOf = ({
  options,
  workerArgv
}: Invocation): Effect.Effect<SettingsSources, never, Caller> =>
  Effect.map(Caller, ({ cwd, environment, userHome }) => ({
    ...(options.config === undefined ? {} : { configFile: options.config }),
    environment,
    cwd,
    userHome,
    commandLine: {
      ...(options.workdir === undefined ? {} : { working_dir: options.workdir }),
      ...(options.project === undefined ? {} : { project: options.project }),
      ...(options.model === undefined ? {} : { model: options.model }),
      ...(options.maxBudget === undefined ? {} : { max_budget: options.maxBudget }),
      ...(options.maxTurns === undefined ? {} : { max_turns: options.maxTurns }),
      ...(workerArgv === undefined ? {} : { worker_command: { type: "Command", argv: workerArgv } })
    }
  }))
