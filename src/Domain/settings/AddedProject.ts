import * as Schema from "effect/Schema"
import type { ProjectName } from "../Project.ts"
import { isProjectName } from "../ProjectNameRules.ts"
import { keyPathText } from "../toml/KeyPath.ts"
import { isTable, type RawSettings, tomlText } from "../toml/RawSettings.ts"

/** A project that `autopilotd run` has added to those of the settings file. */
export const AddedProject = Schema.Struct({
  /** Absolute. */
  workingDir: Schema.String,
  argv: Schema.NonEmptyArray(Schema.String)
})
export type AddedProject = typeof AddedProject.Type

/** The added projects by their names. */
export type AddedProjects = ReadonlyMap<string, AddedProject>

/** The settings of an added project, as its table in the file would have them. */
const tableOf = ({ argv, workingDir }: AddedProject): RawSettings => ({
  working_dir: workingDir,
  worker_command: { type: "Command", argv }
})

/** The text of its table, to be put at the end of a settings file. */
export const tableText = (name: string, project: AddedProject): string =>
  [
    `[${keyPathText(["projects", name])}]`,
    ...Object.entries(tableOf(project)).map(([key, value]) => `${key} = ${tomlText(value)}`),
    ""
  ].join("\n")

/** A file's settings with the added projects whose names it leaves free. `taken` are names from other sources. */
export const withAdded = (
  raw: RawSettings,
  added: AddedProjects,
  taken: ReadonlyArray<string>
): { readonly raw: RawSettings; readonly names: ReadonlyArray<string> } => {
  const projects = raw["projects"] ?? {}
  if (!isTable(projects)) return { raw, names: [] }
  const free = [...added].filter(([name]) => !Object.hasOwn(projects, name) && !taken.includes(name))
  const tables = free.map(([name, project]) => [name, tableOf(project)] as const)
  return {
    raw: free.length === 0 ? raw : { ...raw, projects: { ...projects, ...Object.fromEntries(tables) } },
    names: free.map(([name]) => name)
  }
}

/** The longest name, without room for a number behind it. */
const longestName = 60

/** A name for a project in this folder that no other project has: `shop`, `shop-2`. */
export const freeName = (folder: string, taken: ReadonlyArray<string>): ProjectName => {
  const base = folder
    .slice(folder.lastIndexOf("/") + 1)
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, longestName)
  const stem = isProjectName(base) ? base : "agent"
  for (let count = 1; ; count++) {
    const name = count === 1 ? stem : `${stem}-${count}`
    if (isProjectName(name) && !taken.includes(name)) return name
  }
}
