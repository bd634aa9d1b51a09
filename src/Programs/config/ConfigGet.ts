import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { inPlainCode } from "../../Layers/concurrency/PlainCode.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { loadingWorld } from "../../Layers/settings/SettingsLoader.ts"
import { conclude } from "../cli/DialogueRun.ts"
import { getSetting } from "./SettingsGet.ts"

/** `autopilotd config get`, as `getSetting` does it. */
export const configGet = Effect.fnUntraced(function* (invocation: Invocation) {
  const home = yield* AutopilotHome
  const caller = yield* Caller
  const { isTerminal } = yield* CommandOutput
  const outcome = yield* inPlainCode((timer) =>
    getSetting(invocation, { ...loadingWorld(timer, home), caller, isTerminal })
  )
  yield* conclude(invocation, outcome)
})
