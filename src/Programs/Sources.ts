import * as Effect from "effect/Effect"
import { type Invocation, parse } from "../Domain/cli/CommandLine.ts"
import { Caller } from "../Layers/daemon/Caller.ts"
import type { SettingsSources } from "../Layers/settings/SettingsLoading.ts"
import { givenSources, sourcesOfDaemon } from "./GivenSources.ts"

/** The sources of settings of an invocation: its options, and the caller's environment and folder. */
export const sourcesOf = (invocation: Invocation): Effect.Effect<SettingsSources, never, Caller> =>
  Effect.map(Caller, (caller) => givenSources(invocation, caller))

/** The sources of the settings of a running daemon, as `sourcesOfDaemon` finds them. */
export const daemonSources = (pid: number) =>
  Effect.flatMap(Caller, (caller) => Effect.promise(() => sourcesOfDaemon(pid, caller, parse)))
