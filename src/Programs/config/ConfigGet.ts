import * as Effect from "effect/Effect"
import { argumentOf, type Invocation } from "../../Domain/cli/CommandLine.ts"
import { chosenSettings, chosenText, settingNames } from "../../Domain/settings/SettingsChoice.ts"
import { settingsReport } from "../../Domain/settings/SettingsReport.ts"
import { nearestName } from "../../Domain/text/NearestName.ts"
import { quoted } from "../../Domain/text/Printable.ts"
import { acceptedKeyPath, keyPathText } from "../../Domain/toml/KeyPath.ts"
import { MemoryReader } from "../../Layers/machine/MemoryReader.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import { loadSettings } from "../../Layers/settings/SettingsLoader.ts"
import { sayDone } from "../Answer.ts"
import { Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"

/** `autopilotd config get`: the value of a setting that `start` would use, and its source. */
export const configGet = Effect.fnUntraced(function* (invocation: Invocation) {
  const { isTerminal } = yield* CommandOutput
  const { json: _, project: named, ...options } = invocation.options
  const given = acceptedKeyPath(argumentOf(invocation, "key"))
  const [table, ofTable, ...inTable] = given
  const isOfProject = table === "projects" && ofTable !== undefined && inTable.length > 0
  const path = isOfProject ? inTable : given
  const { reading: memory } = (yield* MemoryReader).read()
  const effective = yield* loadSettings({
    ...(yield* sourcesOf({ ...invocation, options })),
    ...(memory === undefined ? {} : { effectiveTotalBytes: memory.totalBytes })
  })
  const wanted = isOfProject ? ofTable : named
  const project = effective.projects.find((one) => one.project === wanted)?.project
  if (wanted !== undefined && project === undefined) {
    const known = effective.projects.map((one) => one.project).join(", ")
    return yield* new Refused({
      reason: `There is no project "${wanted}" in the settings. The projects are: ${known}.`,
      code: "unknown_project"
    })
  }
  const report = settingsReport({ ...effective, named: project }, () => ({ values: {}, warnings: [] }))
  const key = keyPathText(path)
  const chosen = chosenSettings(report, key)
  const [first] = chosen
  if (first === undefined) {
    const near = nearestName(key, settingNames(report))
    const hint = near === undefined ? "All of them: autopilotd config check" : `Did you mean "${near}"?`
    return yield* new Refused({
      reason: `There is no setting ${quoted(key)}. ${hint}`,
      code: "unknown_setting"
    })
  }
  const data = { project: report.project, ...(first.key === key ? first : { settings: chosen }) }
  const message = chosen.map((one) => `${one.key} is ${one.text} (${one.source})`).join("; ")
  yield* sayDone(invocation, { message, data }, chosenText(chosen, key, isTerminal))
}, Effect.provide(SettingsFile.layer))
