import { unnamed } from "../Project.ts"
import { isProjectName, projectNameExpected } from "../ProjectNameRules.ts"
import { jsonIn } from "../Shape.ts"
import { keyPathText } from "../toml/KeyPath.ts"
import { isTable, type RawSettings, tomlText, without } from "../toml/RawSettings.ts"
import { topLevelOnly } from "./SettingKeys.ts"
import { decodeRaw, found, problemsOfOwn } from "./SettingsDecode.ts"
import { asWritten, type Hoisted, hoist } from "./SettingsHoist.ts"
import type { KeyProblem } from "./SettingsProblem.ts"
import type { Argv } from "./WorkerCommand.ts"

/** The settings of a file: its top level, and each `[projects.NAME]` by its name, in the order of the file. */
export interface FileSettings {
  readonly top: RawSettings
  readonly tables: ReadonlyMap<string, RawSettings>
}

/** A settings file split into its projects, not yet checked. */
export interface FileParts {
  readonly top: Hoisted
  readonly tables: ReadonlyMap<string, Hoisted>
  /** Problems of the `projects` table itself. */
  readonly problems: ReadonlyArray<KeyProblem>
}

/**
 * The project that the command line applies to: a `[projects.NAME]`, or the top level, which `--project` may have named.
 * A daemon keeps it across reloads: the name of a removed table does not pass to the top level.
 */
export type AboutProject =
  | { readonly _tag: "TopLevel"; readonly name?: string }
  | { readonly _tag: "Table"; readonly name: string }

/** The settings from other sources than the file. */
export interface OuterSettings {
  readonly environment: RawSettings
  readonly commandLine: RawSettings
}

/** The table that `--project` or AUTOPILOT_PROJECT names. Without such a table the name is that of the top level. */
export const aboutOf = (
  { commandLine, environment }: OuterSettings,
  tables: { readonly has: (name: string) => boolean }
): AboutProject => {
  const name = commandLine["project"] ?? environment["project"]
  if (typeof name !== "string") return { _tag: "TopLevel" }
  return tables.has(name) ? { _tag: "Table", name } : { _tag: "TopLevel", name }
}

/** The names below `projects` in the order of the parsed object, which puts integers first. */
export const tableNames = (raw: RawSettings): ReadonlyArray<string> => {
  const projects = raw["projects"]
  return isTable(projects) ? Object.keys(projects) : []
}

const header = (name: string): string => `[${keyPathText(["projects", name])}]`

const nameProblem = (name: string): ReadonlyArray<KeyProblem> =>
  isProjectName(name)
    ? []
    : [
        {
          path: ["projects", name],
          reason: `is not a name for a project: ${projectNameExpected}`
        }
      ]

/** Splits a file into its top level and its projects. `names` are those of `tableNames` in the order of the file. */
export const takeApart = (raw: RawSettings, names: ReadonlyArray<string> = tableNames(raw)): FileParts => {
  const projects = raw["projects"]
  const top = hoist(without(raw, ["projects"]))
  if (!isTable(projects)) {
    const reason = `must be a table of projects such as [projects.shop], not ${found(projects, true)}`
    return {
      top,
      tables: new Map(),
      problems: projects === undefined ? [] : [{ path: ["projects"], reason }]
    }
  }
  const tables = names.flatMap((name) => {
    const table = projects[name]
    return isTable(table) ? [[name, hoist(table, `in ${header(name)}`)] as const] : []
  })
  const problems = names.flatMap((name): ReadonlyArray<KeyProblem> => {
    if (isTable(projects[name])) return nameProblem(name)
    const reason = `must be a table with the settings of one project, not ${found(projects[name], true)}`
    return [{ path: ["projects", name], reason }]
  })
  return { top, tables: new Map(tables), problems }
}

/** The settings of a split file without the places at which they were written. */
export const settingsIn = ({ tables, top }: FileParts): FileSettings => ({
  top: top.raw,
  tables: new Map([...tables].map(([name, { raw }]) => [name, raw]))
})

/** A problem of a project with the path of its table. */
export const inTable = (name: string, { moved }: Hoisted, problem: KeyProblem): KeyProblem => {
  const { nearest, path, writtenAt, ...rest } = asWritten(problem, moved)
  const prefix = ["projects", name]
  return {
    ...rest,
    path: [...prefix, ...path],
    ...(nearest === undefined ? {} : { nearest: `${keyPathText(prefix)}.${nearest}` }),
    ...(writtenAt === undefined ? {} : { writtenAt: [...prefix, ...writtenAt] })
  }
}

/** A project's settings without those that only the top level takes, and the problems of the latter. */
const takenOff = (raw: RawSettings): { own: RawSettings; problems: ReadonlyArray<KeyProblem> } => {
  const memory = raw["memory"]
  const refused = (path: ReadonlyArray<string>): ReadonlyArray<KeyProblem> => {
    const reason = topLevelOnly.get(path.join("."))
    return reason === undefined ? [] : [{ path, reason }]
  }
  const above = Object.keys(raw).flatMap((key) => refused([key]))
  const inMemory = isTable(memory) ? Object.keys(memory).flatMap((key) => refused(["memory", key])) : []
  const own = without(raw, [...topLevelOnly.keys()])
  return {
    own: isTable(memory)
      ? {
          ...own,
          memory: without(
            memory,
            inMemory.map(({ path }) => String(path.at(-1)))
          )
        }
      : own,
    problems: [...above, ...inMemory]
  }
}

const problemsOfTable = (name: string, table: Hoisted): ReadonlyArray<KeyProblem> => {
  const { own, problems } = takenOff(table.raw)
  return [...table.problems, ...problems, ...problemsOfOwn(own)].map((problem) =>
    inTable(name, table, problem)
  )
}

/** A table with the name that the file or the command line gives to the top level. */
const sameNames = ({ tables, top }: FileParts, about: AboutProject): ReadonlyArray<KeyProblem> => {
  const inFile = top.raw["project"]
  const name = inFile ?? unnamed
  if (typeof name === "string" && tables.has(name)) {
    const reason =
      inFile === undefined
        ? 'is the name of the top level by default: name it with project = "...", or rename this table'
        : `is also the name of the top level (project = ${tomlText(name)}): rename one of them`
    return [{ path: ["projects", name], reason }]
  }
  if (about._tag === "Table" || about.name === undefined || !tables.has(about.name)) return []
  const reason =
    "is the name that --project or AUTOPILOT_PROJECT gave to the top level of this daemon: rename this table, or restart the daemon"
  return [{ path: ["projects", about.name], reason }]
}

/** All problems of the top level alone and of each table alone. */
export const problemsOf = (parts: FileParts, about: AboutProject): ReadonlyArray<KeyProblem> => {
  const { problems, tables, top } = parts
  const decoded = decodeRaw(top.raw)
  return [
    ...top.problems,
    ...(decoded._tag === "Left" ? decoded.left.map((problem) => asWritten(problem, top.moved)) : []),
    ...problems,
    ...sameNames(parts, about),
    ...[...tables].flatMap(([name, table]) => problemsOfTable(name, table))
  ]
}

/** A project that `autopilotd run` has added to those of the settings file. */
export interface AddedProject {
  /** Absolute. */
  readonly workingDir: string
  readonly argv: Argv
}

/** The added projects by their names. */
export type AddedProjects = ReadonlyMap<string, AddedProject>

const isAddedProject = (value: unknown): value is AddedProject =>
  isTable(value) &&
  typeof value["workingDir"] === "string" &&
  Array.isArray(value["argv"]) &&
  value["argv"].length > 0 &&
  value["argv"].every((word) => typeof word === "string")

/** The text in which the daemon keeps the added projects. */
export const addedText = (projects: AddedProjects): string =>
  `${JSON.stringify(Object.fromEntries(projects))}\n`

/** The added projects that a text holds; undefined for one that is damaged. */
export const addedIn = (text: string): AddedProjects | undefined => {
  const value = jsonIn(text)
  if (!isTable(value)) return undefined
  const projects = Object.entries(value).flatMap(([name, project]) =>
    isAddedProject(project) ? [[name, project] as const] : []
  )
  return projects.length === Object.keys(value).length ? new Map(projects) : undefined
}

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
