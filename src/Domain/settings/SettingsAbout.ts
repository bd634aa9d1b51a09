import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import type { RawSettings } from "../toml/RawSettings.ts"

/**
 * The one project that the command line is about: a `[projects.NAME]`, or the top level, which it may have named. A
 * daemon keeps this when it reads the file again: a table that has gone does not give its name to the top level.
 */
export type AboutProject =
  | { readonly _tag: "TopLevel"; readonly name?: string }
  | { readonly _tag: "Table"; readonly name: string }

/** What comes from elsewhere than the file. */
export interface OuterSettings {
  readonly environment: RawSettings
  readonly commandLine: RawSettings
}

/** The table that `--project`, else AUTOPILOT_PROJECT, names; else the top level, which is then called so. */
export const aboutOf = (
  { commandLine, environment }: OuterSettings,
  tables: { readonly has: (name: string) => boolean }
): AboutProject => {
  const name = commandLine["project"] ?? environment["project"]
  if (typeof name !== "string") return { _tag: "TopLevel" }
  return tables.has(name) ? { _tag: "Table", name } : { _tag: "TopLevel", name }
}

/** Whether somebody speaks of the top level, so that it is a project even where no worker is found for it. */
const isTopLevelMeant = (about: AboutProject, { commandLine }: OuterSettings): boolean =>
  about._tag === "TopLevel" && (about.name !== undefined || Object.keys(commandLine).length > 0)

/**
 * The projects that are supervised. The top level is one if it has a worker, if the command line is about it, or if
 * there is no other; else it only gives the tables their defaults.
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
