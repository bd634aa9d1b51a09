import * as Either from "effect/Either"
import { ProjectName } from "../Project.ts"
import { type RawSettings, without } from "../toml/RawSettings.ts"
import { notInherited } from "./SettingKeys.ts"
import type { Settings } from "./Settings.ts"
import type { AboutProject, OuterSettings } from "./SettingsAbout.ts"
import { decodeRaw } from "./SettingsDecode.ts"
import type { Hoisted } from "./SettingsHoist.ts"
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
import { type FileParts, inTable } from "./SettingsProjects.ts"

/** What holds for one project, as it was written: its paths are not yet absolute. */
export interface ResolvedProject {
  /** The table's name; undefined for the top level. */
  readonly table: ProjectName | undefined
  readonly settings: Settings
  readonly provenance: Merged["provenance"]
}

/** What holds for the top level and for each table, in the order of the file. */
interface ResolvedSettings {
  readonly top: ResolvedProject
  readonly tables: ReadonlyArray<ResolvedProject>
}

const withoutName = (raw: RawSettings): RawSettings => without(raw, ["project"])

/** The top level from all its sources. The command line is not among them where it is about a table. */
const mergeTop = (top: RawSettings, outer: OuterSettings, about: AboutProject): Merged =>
  mergeLayers(
    about._tag === "TopLevel"
      ? [fileLayer(top), environmentLayer(outer.environment), commandLineLayer(outer.commandLine)]
      : [fileLayer(top), environmentLayer(withoutName(outer.environment))]
  )

/** A table over what it inherits, and over it the command line where that is about this table. */
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
      table: ProjectName.make(name),
      settings,
      provenance: merged.provenance
    })
  })

/** The settings of every project, or what does not go together. Each source by itself has been checked before. */
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
