import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import type { ProjectName } from "../Project.ts"
import { type RawSettings, without } from "../toml/RawSettings.ts"
import { notInherited } from "./SettingKeys.ts"
import type { Settings } from "./Settings.ts"
import { decodeRaw } from "./SettingsDecode.ts"
import { type Hoisted, hoist } from "./SettingsHoist.ts"
import {
  commandLineLayer,
  environmentLayer,
  fileLayer,
  type Merged,
  mergeLayers,
  type SettingsLayer,
  tableLayer
} from "./SettingsMerge.ts"
import type { KeyProblem } from "./SettingsProblem.ts"
import { type AboutProject, type FileParts, inTable, type OuterSettings } from "./SettingsProjects.ts"

/** The settings in force for one project. Paths are as written, not yet absolute. */
export interface ResolvedProject {
  /** The table's name; undefined for the top level. */
  readonly table: ProjectName | undefined
  readonly settings: Settings
  readonly provenance: Merged["provenance"]
}

interface ResolvedSettings {
  readonly top: ResolvedProject
  readonly tables: ReadonlyArray<ResolvedProject>
}

const withoutName = (raw: RawSettings): RawSettings => without(raw, ["project"])

/** The top level from all its sources. A command line that names a table does not apply to it. */
const mergeTop = (top: RawSettings, outer: OuterSettings, about: AboutProject): Merged =>
  mergeLayers(
    about._tag === "TopLevel"
      ? [fileLayer(top), environmentLayer(outer.environment), commandLineLayer(outer.commandLine)]
      : [fileLayer(top), environmentLayer(withoutName(outer.environment))]
  )

/** A table over the inherited settings, with the command line on top if it names this table. */
export const mergeTable = (
  [name, own]: readonly [name: string, own: RawSettings],
  top: RawSettings,
  outer: OuterSettings,
  about: AboutProject
): Merged => {
  const inherited: ReadonlyArray<SettingsLayer> = [
    fileLayer(without(top, notInherited)),
    environmentLayer(withoutName(outer.environment))
  ]
  const given =
    about._tag === "Table" && about.name === name ? [commandLineLayer(withoutName(outer.commandLine))] : []
  return mergeLayers([...inherited, tableLayer(name, { ...own, project: name }), ...given])
}

const decodeTable = (name: string, table: Hoisted, merged: Merged) =>
  Either.mapBoth(decodeRaw(merged.raw, table.raw), {
    onLeft: (problems) => problems.map((problem) => inTable(name, table, problem)),
    onRight: (settings): ResolvedProject => ({
      table: settings.project,
      settings,
      provenance: merged.provenance
    })
  })

/** The settings of every project, or their contradictions. `problemsOf` has checked each source before. */
export const resolveSettings = (
  { tables, top }: FileParts,
  outer: OuterSettings,
  about: AboutProject
): Either.Either<ResolvedSettings, ReadonlyArray<KeyProblem>> => {
  const mergedTop = mergeTop(top.raw, outer, about)
  const decodedTop = decodeRaw(mergedTop.raw)
  const decoded = [...tables].map(([name, table]) =>
    decodeTable(name, table, mergeTable([name, table.raw], top.raw, outer, about))
  )
  const problems = [
    ...(Either.isLeft(decodedTop) ? decodedTop.left : []),
    ...decoded.flatMap((table) => (Either.isLeft(table) ? table.left : []))
  ]
  return Either.isRight(decodedTop) && problems.length === 0
    ? Either.right({
        top: { table: undefined, settings: decodedTop.right, provenance: mergedTop.provenance },
        tables: decoded.flatMap((table) => (Either.isRight(table) ? [table.right] : []))
      })
    : Either.left(problems)
}

/** True if command line or environment address the top level, which makes it a project even without a worker. */
const isTopLevelMeant = (about: AboutProject, { commandLine }: OuterSettings): boolean =>
  about._tag === "TopLevel" && (about.name !== undefined || Object.keys(commandLine).length > 0)

/**
 * The supervised projects. The top level is one of them if it has a worker, if the command line addresses it, or if there
 * are no tables; otherwise it only gives the defaults of the tables.
 */
export const supervised = <P extends { readonly worker: Either.Either<unknown, unknown> }>(
  top: P,
  tables: ReadonlyArray<P>,
  about: AboutProject,
  outer: OuterSettings
): readonly [P, ...ReadonlyArray<P>] =>
  Arr.isNonEmptyReadonlyArray(tables) && Either.isLeft(top.worker) && !isTopLevelMeant(about, outer)
    ? tables
    : [top, ...tables]

/** The settings of every project, those with mistakes as if their table were empty. */
interface UsableSettings {
  readonly resolved: ResolvedSettings
  /** The mistakes inside of tables. Each costs only the project of its table. */
  readonly mistakes: ReadonlyArray<KeyProblem>
}

/** The project whose table has the problem inside; undefined for a problem that concerns others as well. */
export const ownerOf = (
  { path: [place, name, key] }: KeyProblem,
  { tables }: FileParts
): string | undefined =>
  place === "projects" && typeof name === "string" && key !== undefined && tables.has(name) ? name : undefined

/** The names of the projects with mistakes. */
const owners = (mistakes: ReadonlyArray<KeyProblem>, parts: FileParts): ReadonlySet<string> =>
  new Set(mistakes.map((mistake) => ownerOf(mistake, parts)).filter((name) => name !== undefined))

const withEmpty = (parts: FileParts, names: ReadonlySet<string>): FileParts => ({
  ...parts,
  tables: new Map([...parts.tables].map(([name, table]) => [name, names.has(name) ? hoist({}) : table]))
})

/**
 * The settings of every project. `mistakes` are those of `problemsOf`, all inside of tables. Fails with all problems when
 * one concerns several projects.
 */
export const usableSettings = (
  parts: FileParts,
  mistakes: ReadonlyArray<KeyProblem>,
  outer: OuterSettings,
  about: AboutProject
): Either.Either<UsableSettings, ReadonlyArray<KeyProblem>> => {
  const known = owners(mistakes, parts)
  const resolved = resolveSettings(withEmpty(parts, known), outer, about)
  if (Either.isRight(resolved)) return Either.right({ resolved: resolved.right, mistakes })
  // Contradictions with inherited settings.
  const all = [...mistakes, ...resolved.left]
  const isOfOne = resolved.left.every((problem) => {
    const owner = ownerOf(problem, parts)
    return owner !== undefined && !known.has(owner)
  })
  return isOfOne ? usableSettings(parts, all, outer, about) : Either.left(all)
}
