import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { type Invocation, parse } from "../../Domain/cli/CommandLine.ts"
import { inPlainCode } from "../../Layers/concurrency/PlainCode.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { loadingWorld } from "../../Layers/settings/SettingsLoader.ts"
import { conclude } from "../cli/DialogueRun.ts"
import { checkSettings } from "./SettingsCheck.ts"

/** The pid of the daemon of this home; undefined without one. */
const daemonPid = Effect.gen(function* () {
  const { request } = yield* ControlClient
  const status = yield* Effect.option(request({ type: "Status" }))
  return Option.getOrUndefined(status)?.data?.daemon_pid
})

/** `autopilotd config check`, as `checkSettings` does it; fails where a project cannot start. */
export const configCheck = Effect.fnUntraced(function* (invocation: Invocation) {
  const home = yield* AutopilotHome
  const caller = yield* Caller
  const ask = Runtime.runPromise(yield* Effect.runtime<ControlClient>())
  const outcome = yield* inPlainCode((timer) =>
    checkSettings(invocation, {
      ...loadingWorld(timer, home),
      caller,
      read: parse,
      daemonPid: () => ask(daemonPid)
    })
  )
  yield* conclude(invocation, outcome)
})
