import * as Effect from "effect/Effect"
import type { KeyPath } from "../../Domain/toml/KeyPath.ts"
import { type Replacement, replaced } from "../../Domain/toml/TextSpan.ts"
import type { NotToml } from "./TomlData.ts"
import { readTree, type TomlBody } from "./TomlTree.ts"

const byteOrderMark = "\uFEFF"

/** The values of a body to be masked, in the order of the text. */
const secretsIn = (
  { entries }: TomlBody,
  text: string,
  isSecret: (path: KeyPath, value: string) => boolean
): ReadonlyArray<Replacement> =>
  entries.flatMap(({ end, inline, path, valueStart: start }) => {
    if (inline !== undefined) return secretsIn(inline, text, isSecret)
    return isSecret(path, text.slice(start, end)) ? [{ start, end, text: '"********"' }] : []
  })

/** A TOML text with its secret values masked. `isSecret` judges the path of a value and its text as it stands in the file. */
export const maskedToml = (
  text: string,
  isSecret: (path: KeyPath, value: string) => boolean
): Effect.Effect<string, NotToml> => {
  // The parser rejects it.
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : ""
  return Effect.map(readTree(text.slice(mark.length)), ({ headers, root, text: toml }) => {
    const secrets = [root, ...headers].flatMap((body) => secretsIn(body, toml, isSecret))
    return mark + replaced(toml, secrets)
  })
}
