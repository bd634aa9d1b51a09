import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { found } from "../settings/SettingsDecode.ts"
import type { KeyProblem } from "../settings/SettingsProblem.ts"
import { nearestName } from "../text/NearestName.ts"
import { type RawSettings, valueAt } from "../toml/RawSettings.ts"

/** `http://localhost:3000`: no path, no wildcard, no user. It goes into a header as it is. */
const origin =
  /^https?:\/\/[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*(?::([1-9]\d{0,4}))?$/i

const maxPort = 65_535

const Origin = Schema.String.pipe(
  Schema.filter((text) => {
    const parts = origin.exec(text)
    return parts !== null && Number(parts[1] ?? 1) <= maxPort
  })
)

const defaults = { auto_start: false, embed_origins: [] }

const Gui = Schema.Struct({
  port: Schema.optionalWith(Schema.Int.pipe(Schema.between(0, maxPort)), { exact: true }),
  auto_start: Schema.optionalWith(Schema.Boolean, { exact: true, default: () => defaults.auto_start }),
  embed_origins: Schema.optionalWith(Schema.Array(Origin), {
    exact: true,
    default: () => defaults.embed_origins
  })
})

/** gui.toml: what the panel remembers. */
export const GuiSettings = Schema.Struct({
  gui: Schema.optionalWith(Gui, { exact: true, default: () => defaults })
})
export type GuiSettings = (typeof GuiSettings.Type)["gui"]

/** Completes the sentence "must be ...". */
const expects: Readonly<Record<string, string>> = {
  gui: "a table",
  "gui.port": `a whole number from 0 to ${maxPort}, where 0 lets the system choose`,
  "gui.auto_start": "true or false",
  "gui.embed_origins": 'an array of origins such as ["http://localhost:3000"], without paths and wildcards'
}

const problemOf = (raw: RawSettings, issue: ParseResult.ArrayFormatterIssue): KeyProblem => {
  const path = issue.path.map((name) => (typeof name === "symbol" ? String(name) : name))
  if (issue._tag === "Unexpected") {
    const nearest = nearestName(path.join("."), Object.keys(expects))
    return { path, reason: "is not a setting of the panel", ...(nearest === undefined ? {} : { nearest }) }
  }
  const key = path.slice(0, 2)
  const value = found(valueAt(raw, path), false)
  const which =
    path.length > 2 ? `, but the one at position ${Number(path[2]) + 1} is ${value}` : `, not ${value}`
  return { path: key, reason: `must be ${expects[key.join(".")]}${which}` }
}

const decode = Schema.decodeUnknownEither(GuiSettings, { errors: "all", onExcessProperty: "error" })

/** Decodes gui.toml, or returns every problem. */
export const decodeGuiSettings = (raw: RawSettings): Either.Either<GuiSettings, ReadonlyArray<KeyProblem>> =>
  Either.mapBoth(decode(raw), {
    onRight: ({ gui }) => gui,
    onLeft: (error) => ParseResult.ArrayFormatter.formatErrorSync(error).map((issue) => problemOf(raw, issue))
  })
