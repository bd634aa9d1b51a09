import * as Either from "effect/Either"
import { isProjectName } from "../ProjectNameRules.ts"
import { isTable, type RawSettings } from "./RawSettings.ts"

/** The rules of texts that JSON Schema cannot say, by the names that a schema gives them. */
export const textRules = {
  /** The kernel ends an argument, a path or an environment value at a NUL. */
  nulFree: (text: string): boolean => !text.includes("\u0000"),
  projectName: isProjectName,
  twoTimes: (text: string): boolean => text.slice(0, 5) !== text.slice(6),
  url: (text: string): boolean => URL.canParse(text),
  /** Port 4317 is that of gRPC. */
  notGrpc: (text: string): boolean => new URL(text).port !== "4317",
  /** A host, in brackets where it is an IPv6 address, and a port. */
  address: (text: string): boolean => {
    const port = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text)?.[1]
    return port !== undefined && Number(port) > 0 && Number(port) < 65_536
  }
}
export type TextRule = keyof typeof textRules

/** What narrows a text or a number, in the words of JSON Schema. */
export interface Rules {
  readonly type?: "integer"
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly pattern?: string
  readonly not?: unknown
}

/** The note of a setting in messages. Its description stands apart, because the daemon shows none. */
export interface FieldNote {
  /** The accepted values; completes the sentence "must be ...". */
  readonly expects: string
  /** The behaviour of an unset key, for a setting without a default value. */
  readonly unset?: string
  /** Why `[projects.NAME]` cannot set it; continues a sentence that begins with the key. */
  readonly topLevelOnly?: string
}

/** One key of a table. */
export interface Field {
  /** Its name in the file. */
  readonly key: string
  /** Its name in the settings, where that is another one. */
  readonly name?: string
  readonly form: Form
  readonly required?: true
  /** The value of an absent key, as in the file. A table begins empty. */
  readonly byDefault?: unknown
  readonly note?: FieldNote
  readonly description?: string
}

/** A table of the file. */
export interface TableForm {
  readonly fields: ReadonlyArray<Field>
}

/** Tables of several kinds, by the word in one of their keys. */
export interface KindsForm {
  readonly by: string
  /** The name of that key in the settings. */
  readonly as: string
  readonly kinds: Readonly<Record<string, TableForm>>
}

/** The values that the settings file may have in one place, as a table that `formOf` makes of a schema. A number is finite. */
export type Form =
  | {
      readonly is: "boolean" | "number" | "string"
      readonly rules?: Rules
      readonly named?: ReadonlyArray<TextRule>
    }
  | { readonly literals: ReadonlyArray<string | boolean> }
  /** One of several forms of plain values. */
  | { readonly either: ReadonlyArray<Form> }
  /** `first` is the form of the first element, which must be there then. */
  | { readonly list: Form; readonly first?: Form }
  | { readonly keys: Form; readonly values: Form }
  | KindsForm
  | TableForm

type Path = ReadonlyArray<string | number>

/** What is wrong in one place of the settings. */
export interface Issue {
  readonly path: Path
  readonly is: "unexpected" | "missing" | "wrong"
}

const obeys = (
  value: unknown,
  { named = [], rules = {} }: Extract<Form, { readonly is: unknown }>
): boolean => {
  if (typeof value === "string")
    return (
      value.length >= (rules.minLength ?? 0) &&
      (rules.pattern === undefined || new RegExp(rules.pattern).test(value)) &&
      named.every((rule) => textRules[rule](value))
    )
  if (typeof value !== "number") return true
  return (
    Number.isFinite(value) &&
    (rules.type === undefined || Number.isSafeInteger(value)) &&
    value >= (rules.minimum ?? value) &&
    value <= (rules.maximum ?? value) &&
    (rules.exclusiveMinimum === undefined || value > rules.exclusiveMinimum)
  )
}

const readTable = ({ fields }: TableForm, raw: RawSettings, path: Path, issues: Array<Issue>) => {
  for (const key of Object.keys(raw)) {
    if (!fields.some((field) => field.key === key)) issues.push({ path: [...path, key], is: "unexpected" })
  }
  const result: Record<string, unknown> = {}
  for (const { byDefault, form, key, name = key, required } of fields) {
    const at = [...path, key]
    if (Object.hasOwn(raw, key)) result[name] = read(form, raw[key], at, issues)
    else if (required) issues.push({ path: at, is: "missing" })
    else if (byDefault !== undefined)
      result[name] = "fields" in form ? readTable(form, {}, at, issues) : byDefault
  }
  return result
}

/** Reads a value of the file and fills in the defaults. Puts everything that is wrong with it into `issues`. */
export const read = (form: Form, value: unknown, path: Path, issues: Array<Issue>): unknown => {
  const wrong = (at = path) => void issues.push({ path: at, is: "wrong" })
  if ("is" in form) return typeof value === form.is && obeys(value, form) ? value : wrong()
  if ("literals" in form) return form.literals.some((one) => one === value) ? value : wrong()
  if ("either" in form) return form.either.some((one) => fits(one, value)) ? value : wrong()
  if ("list" in form) {
    const { first, list } = form
    if (!Array.isArray(value)) return wrong()
    if (first !== undefined && value.length === 0) issues.push({ path: [...path, 0], is: "missing" })
    return value.map((one, at) => read(at === 0 && first ? first : list, one, [...path, at], issues))
  }
  if (!isTable(value)) return wrong()
  if ("fields" in form) return readTable(form, value, path, issues)
  if ("keys" in form) {
    const isKey = (key: string) => fits(form.keys, key)
    const [good, bad] = [Object.keys(value).filter(isKey), Object.keys(value).filter((key) => !isKey(key))]
    for (const key of bad) issues.push({ path: [...path, key], is: "unexpected" })
    return Object.fromEntries(good.map((key) => [key, read(form.values, value[key], [...path, key], issues)]))
  }
  const kind = Object.hasOwn(value, form.by) ? value[form.by] : undefined
  if (kind === undefined) return void issues.push({ path: [...path, form.by], is: "missing" })
  const table = typeof kind === "string" && Object.hasOwn(form.kinds, kind) ? form.kinds[kind] : undefined
  return table === undefined ? wrong([...path, form.by]) : readTable(table, value, path, issues)
}

/** A value without the keys that its form does not have; else the first thing that is wrong with it. */
export const taken = (form: Form, value: unknown): Either.Either<unknown, Issue> => {
  const issues: Array<Issue> = []
  const result = read(form, value, [], issues)
  const issue = issues.find(({ is }) => is !== "unexpected")
  return issue === undefined ? Either.right(result) : Either.left(issue)
}

/** Whether a value of the file has a form. */
export const fits = (form: Form, value: unknown): boolean => {
  const issues: Array<Issue> = []
  read(form, value, [], issues)
  return issues.length === 0
}

/** A table of settings as the file would have it. */
export const writtenTable = ({ fields }: TableForm, settings: RawSettings): RawSettings =>
  Object.fromEntries(
    fields.flatMap(({ form, key, name = key }) =>
      settings[name] === undefined ? [] : [[key, written(form, settings[name])]]
    )
  )

const written = (form: Form, value: unknown): unknown => {
  if (!isTable(value)) return value
  const table = "by" in form ? form.kinds[String(value[form.as])] : form
  return table !== undefined && "fields" in table ? writtenTable(table, value) : value
}

/** Every setting and every table of settings with its dotted key, in the order of the schema. */
export const fieldsIn = (form: Form, above = ""): ReadonlyArray<readonly [key: string, field: Field]> => {
  const tables = "fields" in form ? [form] : "by" in form ? Object.values(form.kinds) : []
  return tables
    .flatMap(({ fields }) => fields)
    .flatMap((field) => [[above + field.key, field], ...fieldsIn(field.form, `${above}${field.key}.`)])
}
