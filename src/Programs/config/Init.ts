import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { factSentences, firstSettings, oneMoreProject } from "../../Domain/config/FirstSettings.ts"
import { freeName } from "../../Domain/config/FreeName.ts"
import { schemaLine } from "../../Domain/settings/SettingsSchema.ts"
import { folderFacts } from "../../Layers/config/FolderFacts.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { loadUsable } from "../../Layers/settings/SettingsLoader.ts"
import { folderAt } from "../../Layers/settings/SettingsPaths.ts"
import { Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"
import { openSettings } from "./OpenSettings.ts"

/** The text of a new settings file for the caller's folder: `config edit` offers it, `init` writes it. */
export const newSettings = Effect.fnUntraced(function* (workingDir: string, project?: string) {
  const { program } = yield* Caller
  const facts = yield* folderFacts(workingDir)
  const name = freeName(project ?? workingDir, [])
  return { facts, name, text: `${schemaLine(program.at(-1) ?? "")}${firstSettings(name, facts)}` }
})

/** The settings file with one more project. Refuses a folder and a name that another project has. */
const extended = Effect.fnUntraced(function* (
  invocation: Invocation,
  before: string,
  workingDir: string,
  next: string
) {
  const sources = yield* sourcesOf({ ...invocation, options: {} })
  const { projects } = yield* loadUsable(sources)
  const same = projects.find(({ settings }) => settings.workingDir === workingDir)
  if (same !== undefined && invocation.options.project === undefined)
    return yield* new Refused({
      reason: `The project ${same.project} works in ${workingDir} already, so nothing was changed. Next: ${next}. Or set another one up beside it: autopilotd init --project NAME`
    })
  const names = projects.map(({ project }) => project)
  const wanted = invocation.options.project
  if (wanted !== undefined && names.includes(wanted))
    return yield* new Refused({
      reason: `There is a project ${wanted} already, so nothing was changed. Choose another name, or edit it: autopilotd config edit`
    })
  const facts = yield* folderFacts(workingDir)
  const name = wanted ?? freeName(workingDir, names)
  return { facts, name, text: `${before.trimEnd()}\n\n${oneMoreProject(name, facts)}` }
})

/** `autopilotd init`: writes the settings of a project for a folder. Asks nothing, and overwrites nothing. */
export const init = Effect.fnUntraced(function* (invocation: Invocation) {
  const { out } = yield* CommandOutput
  const { json, project, workdir = "." } = invocation.options
  const workingDir = folderAt(workdir, yield* Caller)
  const open = yield* openSettings({ options: {} })
  const before = open.current.text
  const next = open.through === "daemon" ? "autopilotd reload" : "autopilotd start --detach"
  const { facts, name, text } =
    before.trim() === ""
      ? yield* newSettings(workingDir, project)
      : yield* extended(invocation, before, workingDir, next)
  const written = yield* open.set(text, { dryRun: false })
  const message = `Written to ${written.path}: the project ${name}, in ${workingDir}`
  yield* out(
    json
      ? `${JSON.stringify({ success: true, message, path: written.path, project: name, next })}\n`
      : [`${message}.`, ...factSentences(facts), `Change it: autopilotd config edit. Next: ${next}`, ""].join(
          "\n"
        )
  )
})
