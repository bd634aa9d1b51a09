import * as Either from "effect/Either"
import { hoist } from "./SettingsHoist.ts"
import type { KeyProblem } from "./SettingsProblem.ts"
import type { AboutProject, FileParts, OuterSettings } from "./SettingsProjects.ts"
import { type ResolvedSettings, resolveSettings } from "./SettingsResolve.ts"

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
