import { isTable, type RawSettings, tomlText } from "./RawSettings.ts"
import type { KeyProblem } from "./SettingsProblem.ts"

/** Settings of the top level that may also stand in `[worker_command]`. */
export const hoistable: ReadonlyArray<string> = ["working_dir", "project", "model", "max_budget", "max_turns"]

/** Where a person wrote a setting that now stands at the top level. */
export const writtenAt = (
  path: ReadonlyArray<string | number>,
  moved: ReadonlySet<string>
): ReadonlyArray<string | number> => (moved.has(path.join(".")) ? ["worker_command", ...path] : path)

/** A file's settings with those of the top level where they belong. */
export interface Hoisted {
  readonly raw: RawSettings
  /** The settings that were found in `[worker_command]`. */
  readonly moved: ReadonlySet<string>
  readonly problems: ReadonlyArray<KeyProblem>
}

/**
 * Moves the settings of the top level out of `[worker_command]`. TOML has no way back from a table to the top level,
 * so that keys written below that header belong to it, whatever the blank line between them suggests. A setting that
 * stands in both places must say the same in both.
 */
export const hoist = (raw: RawSettings): Hoisted => {
  const table = raw["worker_command"]
  if (!isTable(table)) return { raw, moved: new Set(), problems: [] }
  const inTable = hoistable.filter((key) => Object.hasOwn(table, key))
  const twice = inTable.filter((key) => Object.hasOwn(raw, key))
  const problems = twice
    .filter((key) => tomlText(raw[key]) !== tomlText(table[key]))
    .map((key): KeyProblem => {
      const values = `${tomlText(raw[key])} at the top level and ${tomlText(table[key])}`
      return {
        path: ["worker_command", key],
        reason: `is set twice with different values: ${key} is ${values} here`
      }
    })
  const moved = inTable.filter((key) => !twice.includes(key))
  const left = Object.entries(table).filter(([key]) => !hoistable.includes(key))
  const { worker_command: _, ...top } = raw
  return {
    raw: {
      ...top,
      ...Object.fromEntries(moved.map((key) => [key, table[key]])),
      // A table that held nothing else says nothing about the worker.
      ...(left.length === 0 && inTable.length > 0 ? {} : { worker_command: Object.fromEntries(left) })
    },
    moved: new Set(moved),
    problems
  }
}
