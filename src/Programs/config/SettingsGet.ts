import { argumentOf, type Invocation } from "../../Domain/cli/CommandLine.ts"
import type { Outcome } from "../../Domain/cli/Dialogue.ts"
import { chosenSettings, chosenText, settingNames } from "../../Domain/settings/SettingsChoice.ts"
import type { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import { settingsReport } from "../../Domain/settings/SettingsReport.ts"
import { nearestName } from "../../Domain/text/NearestName.ts"
import { quoted } from "../../Domain/text/Printable.ts"
import { acceptedKeyPath, keyPathText } from "../../Domain/toml/KeyPath.ts"
import type { CallerFacts } from "../../Layers/daemon/CallerFacts.ts"
import { memoryNow } from "../../Layers/machine/MemoryFiles.ts"
import { type LoadingWorld, loadFaultless } from "../../Layers/settings/SettingsLoading.ts"
import { givenSources } from "../GivenSources.ts"

/** What `config get` needs of the road that it is on. */
interface GetWorld extends LoadingWorld {
  readonly caller: CallerFacts
  /** Standard output is a terminal. */
  readonly isTerminal: boolean
}

const refusal = (code: "unknown_project" | "unknown_setting", reason: string): Outcome => ({
  out: "",
  refused: { reason, code, isTold: false }
})

/** The value of a setting that `start` would use, and its source. */
export const getSetting = async (
  invocation: Invocation,
  world: GetWorld
): Promise<Outcome | SettingsError> => {
  const { json, project: named, ...options } = invocation.options
  const given = acceptedKeyPath(argumentOf(invocation, "key"))
  const [table, ofTable, ...inTable] = given
  const isOfProject = table === "projects" && ofTable !== undefined && inTable.length > 0
  const path = isOfProject ? inTable : given
  const { reading: memory } = memoryNow()
  const effective = await loadFaultless(
    {
      ...givenSources({ ...invocation, options }, world.caller),
      ...(memory === undefined ? {} : { effectiveTotalBytes: memory.totalBytes })
    },
    world
  )
  if (effective instanceof Error) return effective
  const wanted = isOfProject ? ofTable : named
  const project = effective.projects.find((one) => one.project === wanted)?.project
  if (wanted !== undefined && project === undefined) {
    const known = effective.projects.map((one) => one.project).join(", ")
    return refusal(
      "unknown_project",
      `There is no project "${wanted}" in the settings. The projects are: ${known}.`
    )
  }
  const report = settingsReport({ ...effective, named: project }, () => ({ values: {}, warnings: [] }))
  const key = keyPathText(path)
  const chosen = chosenSettings(report, key)
  const [first] = chosen
  if (first === undefined) {
    const near = nearestName(key, settingNames(report))
    const hint = near === undefined ? "All of them: autopilotd config check" : `Did you mean "${near}"?`
    return refusal("unknown_setting", `There is no setting ${quoted(key)}. ${hint}`)
  }
  if (json !== true) return { out: chosenText(chosen, key, world.isTerminal) }
  const data = { project: report.project, ...(first.key === key ? first : { settings: chosen }) }
  const message = chosen.map((one) => `${one.key} is ${one.text} (${one.source})`).join("; ")
  return { out: "", answer: { success: true, message, data } }
}
