import { nearestName } from "../text/NearestName.ts"
import { type RawSettings, tomlText, valueAt } from "../toml/RawSettings.ts"
import { settingNotes, tables, topLevelOnly } from "./SettingKeys.ts"
import type { KeyProblem } from "./SettingsProblem.ts"

/** The keys that are valid in one place of the file. */
export interface ValidKeys {
  readonly keys: ReadonlyArray<string>
  readonly tables: ReadonlyArray<string>
}

/** The keys of the top level. */
export const topLevelKeys: ValidKeys = { keys: [...settingNotes.keys()], tables }

/** The keys of one `[projects.NAME]`. */
export const projectKeys: ValidKeys = {
  keys: [...settingNotes.keys()].filter((key) => !topLevelOnly.has(key)),
  tables: tables.filter((name) => !topLevelOnly.has(name))
}

/** The types of worker command and the keys that each takes beside `type`. */
const keysOfType: ReadonlyMap<unknown, ReadonlyArray<string>> = new Map([
  ["Cargo", ["manifest_path", "args"]],
  ["Binary", ["path", "args"]],
  ["Command", ["argv"]]
])

const leafOf = (key: string): string => key.split(".").at(-1) ?? key

const nearestLeaf = (leaf: string, keys: ReadonlyArray<string>): string | undefined => {
  const last = nearestName(leaf, keys.map(leafOf))
  return keys.find((key) => leafOf(key) === last)
}

/** The valid key that was most likely meant. */
const meant = (key: string, valid: ValidKeys): string | undefined => {
  // Called so on the command line, and too far from the key for a slip of the finger.
  if (key === "workdir") return "working_dir"
  const leaf = leafOf(key)
  // A right name in the wrong table is the likelier slip than a wrong name that resembles others.
  const elsewhere = valid.keys.find((known) => leafOf(known) === leaf)
  return elsewhere ?? nearestName(key, [...valid.keys, ...valid.tables]) ?? nearestLeaf(leaf, valid.keys)
}

/** What is wrong with a key that the schema does not know. */
export const unknownKey = (
  raw: RawSettings,
  path: ReadonlyArray<string | number>,
  valid: ValidKeys
): KeyProblem => {
  const key = path.join(".")
  if (path[0] === "env")
    return {
      path,
      reason: "is not a name for an environment variable: letters, digits and _, no digit at the beginning"
    }
  const type = valueAt(raw, ["worker_command", "type"])
  const takes = keysOfType.get(type)
  if (path[0] === "worker_command" && takes !== undefined && settingNotes.has(key))
    return { path, reason: `does not go with type = ${tomlText(type)}, which takes ${takes.join(" and ")}` }
  const nearest = meant(key, valid)
  return { path, reason: "is not a setting", ...(nearest === undefined ? {} : { nearest }) }
}
