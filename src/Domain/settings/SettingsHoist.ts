import { isTable, type RawSettings, tomlText, without } from "../toml/RawSettings.ts"
import type { KeyProblem } from "./SettingsProblem.ts"

/** Settings of a project that may also stand in its `[worker_command]`. */
export const hoistable: ReadonlyArray<string> = ["working_dir", "project", "model", "max_budget", "max_turns"]

/** A project's settings after those in `[worker_command]` have moved up. */
export interface Hoisted {
  readonly raw: RawSettings
  /** The settings that stood in `[worker_command]`. */
  readonly moved: ReadonlySet<string>
  readonly problems: ReadonlyArray<KeyProblem>
}

/** The problem with the path at which the user wrote the setting. */
export const asWritten = (problem: KeyProblem, moved: ReadonlySet<string>): KeyProblem => {
  const [first] = problem.path
  return first !== undefined && moved.has(String(first))
    ? { ...problem, writtenAt: ["worker_command", ...problem.path] }
    : problem
}

/**
 * Moves the settings of a project out of its `[worker_command]`. TOML cannot return from a table to the one above it, so
 * keys below that header belong to it, even after a blank line. A setting in both places must have the same value in
 * both. `above` names the upper place in messages.
 */
export const hoist = (raw: RawSettings, above = "at the top level"): Hoisted => {
  const table = raw["worker_command"]
  if (!isTable(table)) return { raw, moved: new Set(), problems: [] }
  const inTable = hoistable.filter((key) => Object.hasOwn(table, key))
  const twice = inTable.filter((key) => Object.hasOwn(raw, key))
  const problems = twice
    .filter((key) => tomlText(raw[key]) !== tomlText(table[key]))
    .map((key): KeyProblem => {
      const values = `${tomlText(raw[key])} ${above} and ${tomlText(table[key])}`
      return {
        path: ["worker_command", key],
        reason: `is set twice with different values: ${key} is ${values} here`
      }
    })
  const moved = inTable.filter((key) => !twice.includes(key))
  const left = without(table, hoistable)
  // A table that held nothing else does not name a worker.
  const command =
    Object.keys(left).length === 0 && inTable.length > 0 ? [] : [["worker_command", left] as const]
  const entries = Object.entries(raw).flatMap(
    (entry): ReadonlyArray<readonly [string, unknown]> =>
      entry[0] === "worker_command"
        ? [...moved.map((key) => [key, table[key]] as const), ...command]
        : [entry]
  )
  return { raw: Object.fromEntries(entries), moved: new Set(moved), problems }
}
