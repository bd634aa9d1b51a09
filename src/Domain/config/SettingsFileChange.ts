import { keyPathText } from "../toml/KeyPath.ts"
import { isTable, type RawSettings, tomlText } from "../toml/RawSettings.ts"
import type { FileSettings } from "../settings/SettingsProjects.ts"

/** One setting that stands otherwise in two states of the file. */
export interface FileChange {
  /** The `[projects.NAME]` it stands in; undefined for the top level. */
  readonly table: string | undefined
  /** Where it stands in there: `["restart", "jitter"]`. */
  readonly path: readonly [string, ...ReadonlyArray<string>]
  /** As it would stand in the file; undefined where it is not set. */
  readonly from: string | undefined
  readonly to: string | undefined
}

/** How a changed setting is called in the file. */
export const keyOf = ({ path, table }: FileChange): string =>
  keyPathText(table === undefined ? path : ["projects", table, ...path])

interface Leaf {
  readonly path: readonly [string, ...ReadonlyArray<string>]
  readonly text: string
}

const leavesBelow = (path: Leaf["path"], value: unknown): ReadonlyArray<Leaf> =>
  isTable(value)
    ? Object.entries(value).flatMap(([name, inner]) => leavesBelow([...path, name], inner))
    : [{ path, text: tomlText(value) }]

/** Each value of a project's settings by its dotted key, in the order of the file. */
const leavesOf = (raw: RawSettings): ReadonlyMap<string, Leaf> =>
  new Map(
    Object.entries(raw).flatMap(([name, value]) =>
      leavesBelow([name], value).map((leaf) => [keyPathText(leaf.path), leaf] as const)
    )
  )

const changesIn = (
  table: string | undefined,
  before: RawSettings,
  after: RawSettings
): ReadonlyArray<FileChange> => {
  const old = leavesOf(before)
  const now = leavesOf(after)
  return [...new Map([...now, ...old])]
    .map(([key, { path }]) => ({ table, path, from: old.get(key)?.text, to: now.get(key)?.text }))
    .filter(({ from, to }) => from !== to)
}

/** What stands otherwise in two states of the file: in the order of the later one, then what is only in the earlier. */
export const fileChanges = (before: FileSettings, after: FileSettings): ReadonlyArray<FileChange> => {
  const tables = [...new Set([...after.tables.keys(), ...before.tables.keys()])]
  return [
    ...changesIn(undefined, before.top, after.top),
    ...tables.flatMap((name) => changesIn(name, before.tables.get(name) ?? {}, after.tables.get(name) ?? {}))
  ]
}
