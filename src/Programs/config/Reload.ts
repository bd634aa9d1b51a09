import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { problemLine, reloadText } from "../../Domain/config/ChangesText.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"

/** A daemon that reads its settings from a busy disk may take longer than one that tells its state. */
const patience = { firstByteMs: 30_000, wholeMs: 30_000 } as const

/** The answer to a refused reload names lines; only the daemon knows of which file. */
const settingsPath = Effect.gen(function* () {
  const { request } = yield* ControlClient
  const { data } = yield* request({ type: "GetConfig" }, patience)
  return data?.path
}).pipe(Effect.orElseSucceed(() => undefined))

/** `autopilotd reload`: what of the settings has changed, and what it takes. */
export const reload = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { request } = yield* ControlClient
  const { out } = yield* CommandOutput
  const { json, project, restart } = options
  const reply = yield* request(
    {
      type: "ReloadConfig",
      ...(restart === undefined ? {} : { restart }),
      ...(project === undefined ? {} : { project })
    },
    patience
  )
  const { data } = reply
  if (json) yield* out(`${JSON.stringify(reply)}\n`)
  if (data !== undefined && "problems" in data && data.problems.length > 0 && !json) {
    const path = yield* settingsPath
    const lines = data.problems.map((problem) => problemLine(problem, path))
    return yield* new Refused({
      reason: [...lines, "Nothing was changed: the daemon goes on with the settings it has."].join("\n"),
      isTold: false
    })
  }
  if (!reply.success || data === undefined || "problems" in data) {
    return yield* new Refused({ reason: reply.message, isTold: json === true })
  }
  if (!json) yield* out(reloadText(data))
})
