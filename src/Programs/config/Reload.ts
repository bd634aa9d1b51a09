import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { problemLine, reloadText } from "../../Domain/config/ChangesText.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"

/** The time limits of a request that reads settings from a disk, which may be busy. */
const patience = { firstByteMs: 30_000, wholeMs: 30_000 } as const

/** The path of the settings file. The answer to a refused reload has lines, but not the path. */
const settingsPath = Effect.gen(function* () {
  const { request } = yield* ControlClient
  const { data } = yield* request({ type: "GetConfig" }, patience)
  return data !== undefined && "path" in data ? data.path : undefined
}).pipe(Effect.orElseSucceed(() => undefined))

/** `autopilotd reload`: brings the file into force, and prints the changes. */
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
      reason: [...lines, "Nothing was changed: the previous settings stay in force."].join("\n")
    })
  }
  if (!reply.success || data === undefined || "problems" in data) {
    return yield* new Refused({ reason: reply.message, isTold: json === true })
  }
  if (!json) yield* out(reloadText(data))
})
