import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import {
  factSentences,
  firstSettings,
  firstWorker,
  oneMoreProject
} from "../../Domain/config/FirstSettings.ts"
import { freeName } from "../../Domain/config/FreeName.ts"
import { schemaLine } from "../../Domain/config/SettingsSchema.ts"
import type { EffectiveProject } from "../../Domain/settings/EffectiveSettings.ts"
import { withoutWorker } from "../../Domain/settings/WorkerLookup.ts"
import { shellLine } from "../../Domain/text/ShellLine.ts"
import { tomlText } from "../../Domain/toml/RawSettings.ts"
import { folderFacts } from "../../Layers/config/FolderFacts.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { loadUsable } from "../../Layers/settings/SettingsLoader.ts"
import { folderAt } from "../../Layers/settings/SettingsPaths.ts"
import { setKey, valueTextAt } from "../../Layers/toml/TomlEdit.ts"
import { sayDone } from "../Answer.ts"
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

/** The settings file with a worker for its only project, which has none. */
const completed = Effect.fnUntraced(function* (
  { options: { project, workdir } }: Invocation,
  before: string,
  only: EffectiveProject,
  folder: string
) {
  const isSet = (key: string) => Effect.map(valueTextAt(before, [key]), (value) => value !== undefined)
  const keepsFolder = workdir === undefined && (yield* isSet("working_dir"))
  const keepsName = project === undefined && (yield* isSet("project"))
  const facts = yield* folderFacts(keepsFolder ? only.settings.workingDir : folder)
  const name = keepsName ? only.project : freeName(project ?? facts.workingDir, [])
  const named = keepsName ? before : yield* setKey(before, ["project"], tomlText(name))
  const placed = keepsFolder ? named : yield* setKey(named, ["working_dir"], tomlText(facts.workingDir))
  return { facts, name, text: `${placed.trimEnd()}\n\n${firstWorker(facts)}` }
})

/** The settings file with one more project. Refuses a folder and a name that another project has. */
const extended = Effect.fnUntraced(function* (
  invocation: Invocation,
  before: string,
  workingDir: string,
  next: string
) {
  const sources = yield* sourcesOf({ ...invocation, options: {} })
  const settings = yield* loadUsable(sources)
  const { projects } = settings
  const [only] = projects
  if (only?.isTopLevel === true && projects.length === 1 && Option.isSome(withoutWorker(settings)))
    return yield* completed(invocation, before, only, workingDir)
  const same = projects.find(({ settings }) => settings.workingDir === workingDir)
  if (same !== undefined && invocation.options.project === undefined)
    return yield* new Refused({
      reason: `The project ${same.project} works in ${workingDir} already, so nothing was changed. Next: ${next}. Or set another one up beside it: autopilotd init --project NAME`,
      code: "project_exists"
    })
  const names = projects.map(({ project }) => project)
  const wanted = invocation.options.project
  if (wanted !== undefined && names.includes(wanted))
    return yield* new Refused({
      reason: `There is a project ${wanted} already, so nothing was changed. Choose another name, or edit it: autopilotd config edit`,
      code: "project_exists"
    })
  const facts = yield* folderFacts(workingDir)
  const name = wanted ?? freeName(workingDir, names)
  return { facts, name, text: `${before.trimEnd()}\n\n${oneMoreProject(name, facts)}` }
})

/** `autopilotd init`: writes the settings of a project for a folder. Asks nothing, and overwrites nothing. */
export const init = Effect.fnUntraced(function* (invocation: Invocation) {
  const { project, workdir = "." } = invocation.options
  const workingDir = folderAt(workdir, yield* Caller)
  const open = yield* openSettings({ options: {} })
  const before = open.current.text
  const next = open.through === "daemon" ? "autopilotd reload" : "autopilotd start --detach"
  const { facts, name, text } =
    before.trim() === ""
      ? yield* newSettings(workingDir, project)
      : yield* extended(invocation, before, workingDir, next)
  if (!facts.isFolder)
    return yield* new Refused({
      reason: `There is no folder ${facts.workingDir}, so nothing was changed. Create it (${shellLine(["mkdir", "-p", facts.workingDir])}), or name another: autopilotd init --workdir DIR`,
      code: "no_folder"
    })
  const written = yield* open.set(text, { dryRun: false })
  const message = `Written to ${written.path}: the project ${name}, in ${facts.workingDir}`
  yield* sayDone(
    invocation,
    { message, data: { path: written.path, project: name, next } },
    [`${message}.`, ...factSentences(facts), `Change it: autopilotd config edit. Next: ${next}`, ""].join(
      "\n"
    )
  )
})
