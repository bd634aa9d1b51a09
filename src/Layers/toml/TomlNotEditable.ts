import * as Data from "effect/Data"
import { printable } from "../../Domain/text/Printable.ts"
import { type KeyPath, keyPathText } from "../../Domain/toml/KeyPath.ts"
import type { Position } from "../../Domain/toml/TextSpan.ts"

/** The reason why an edit is not possible. `at` is the place in the text before the edit. */
export type TomlObstacle =
  | { readonly _tag: "NotToml"; readonly at?: Position; readonly because?: string }
  | { readonly _tag: "NoKey" }
  | { readonly _tag: "InsideValue"; readonly value: KeyPath; readonly at: Position }
  | { readonly _tag: "IsTable"; readonly at: Position }
  | { readonly _tag: "ArrayOfTables"; readonly array: KeyPath; readonly at: Position }
  | { readonly _tag: "WrongValue" }
  | { readonly _tag: "NotTheSame" }

const place = (at: Position | undefined): string =>
  at === undefined ? "" : ` (line ${at.line}, column ${at.column})`

const reasonOf = (key: string, obstacle: TomlObstacle): string => {
  switch (obstacle._tag) {
    case "NotToml": {
      const because = obstacle.because === undefined ? "" : `: ${obstacle.because}`
      return `the file is not valid TOML${place(obstacle.at)}${because}. Correct that first`
    }
    case "NoKey":
      return "a key must be named"
    case "InsideValue":
      return `${keyPathText(obstacle.value)} is a value, not a table${place(obstacle.at)}. Remove it first, or name another key`
    case "IsTable":
      return `${key} is a table${place(obstacle.at)}. Set the keys in it one by one, or remove it first`
    case "ArrayOfTables":
      return `${keyPathText(obstacle.array)} is an array of tables${place(obstacle.at)}. Edit the file by hand`
    case "WrongValue":
      return "the new value is not one TOML value. Text must stand in quotes"
    case "NotTheSame":
      return "the edit would have changed more than this key. Edit the file by hand"
  }
}

/** A TOML text cannot be edited. The message has keys and places, never a value, which may be a secret. */
export class TomlNotEditable extends Data.TaggedError("TomlNotEditable")<{
  /** The key that was to be read, set or removed. */
  readonly path: KeyPath
  readonly obstacle: TomlObstacle
}> {
  override get message(): string {
    const key = keyPathText(this.path)
    return printable(`${key === "" ? "The key" : key} cannot be edited: ${reasonOf(key, this.obstacle)}.`)
  }
}
