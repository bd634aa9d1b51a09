import { defaultOf, fieldOf, formOfFile, settingNotes, topLevelOnly } from "../settings/SettingKeys.ts"
import { hoistable } from "../settings/SettingsHoist.ts"
import type { Form, TableForm } from "../toml/Form.ts"
import { descriptionOf, projectsKey } from "./SettingReference.ts"

interface Node {
  readonly properties?: Properties
  readonly anyOf?: ReadonlyArray<Node>
  readonly [keyword: string]: unknown
}

type Properties = Readonly<Record<string, Node>>

/** A `required` key of a table never has its default. */
const documentation = (key: string, required: boolean): Node => {
  const note = settingNotes.get(key)
  const description = descriptionOf(key)
  if (description === undefined) return {}
  if (required || note === undefined) return { description }
  if (note.unset !== undefined && note.unset !== "none") {
    return { description: `${description} Default: ${note.unset}.` }
  }
  const value = defaultOf(key)
  return value === undefined ? { description } : { description, default: value }
}

const nodeOf = (form: Form, key: string, required = false): Node => ({
  ...documentation(key, required),
  ...constraints(form, key)
})

/** The accepted values of a form. */
const constraints = (form: Form, key: string): Node => {
  if ("is" in form) return { type: form.is, ...form.rules }
  if ("literals" in form) {
    const [first, ...others] = form.literals
    return others.length === 0 ? { const: first } : { enum: form.literals }
  }
  if ("either" in form) return { anyOf: form.either.map((one) => constraints(one, key)) }
  if ("by" in form) return { anyOf: Object.values(form.kinds).map((table) => tableOf(table, key)) }
  if ("fields" in form) return tableOf(form, key)
  if ("list" in form)
    return {
      type: "array",
      items: constraints(form.list, key),
      ...(form.first === undefined ? {} : { minItems: 1 })
    }
  return {
    type: "object",
    propertyNames: constraints(form.keys, key),
    additionalProperties: constraints(form.values, key)
  }
}

const tableOf = ({ fields }: TableForm, key: string): Node => {
  const required = fields.flatMap((field) => (field.required ? [field.key] : []))
  return {
    type: "object",
    properties: Object.fromEntries(
      fields.map((field) => [
        field.key,
        nodeOf(field.form, key === "" ? field.key : `${key}.${field.key}`, field.required)
      ])
    ),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false
  }
}

/** A place of the top level that has the same constraints. */
const refTo = (key: string): Node => ({ $ref: `#/properties/${key}` })
const hoisted: Properties = Object.fromEntries(hoistable.map((key) => [key, refTo(key)]))

/** `[worker_command]` also takes the project's settings that TOML puts there, with or without a command. */
const withHoisted = (command: Node): Node => ({
  ...command,
  anyOf: [
    ...(command.anyOf ?? []).map((member) => ({
      ...member,
      properties: { ...member.properties, ...hoisted }
    })),
    { type: "object", properties: hoisted, additionalProperties: false }
  ]
})

/** A project's table: the properties of the top level without those that only the top level takes. */
const projectOf = (top: Properties): Node => ({
  type: "object",
  description: projectsKey.description,
  properties: Object.fromEntries(
    Object.entries(top).flatMap(([key, node]): ReadonlyArray<[string, Node]> => {
      if (topLevelOnly.has(key)) return []
      const inner = Object.entries(node.properties ?? {})
      const allowed = inner.filter(([name]) => !topLevelOnly.has(`${key}.${name}`))
      return [
        [
          key,
          allowed.length === inner.length ? refTo(key) : { ...node, properties: Object.fromEntries(allowed) }
        ]
      ]
    })
  ),
  additionalProperties: false
})

/**
 * The JSON Schema (draft 7, which editors know best) of daemon.toml. It accepts every file that the daemon accepts, and
 * refuses unknown keys and wrong types. The daemon alone compares settings with each other and with the machine.
 */
export const settingsSchema = (): Node => {
  const root = nodeOf(formOfFile, "")
  const own = root.properties ?? {}
  const top = { ...own, worker_command: withHoisted(own["worker_command"] ?? {}) }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "autopilotd settings",
    description: "Settings of autopilotd, by default in ~/.autopilot/daemon.toml.",
    ...root,
    properties: {
      ...top,
      projects: {
        description: "More projects, one table each.",
        type: "object",
        propertyNames: constraints(fieldOf("project")?.form ?? { is: "string" }, "projects"),
        additionalProperties: projectOf(top)
      }
    }
  }
}

/**
 * The first line of a new settings file, by which editors find the schema of the installation that has this bundle:
 * https://taplo.tamasfe.dev/configuration/directives.html
 */
export const schemaLine = (bundle: string): string =>
  `#:schema ${bundle.replace(/dist\/[^/]*$/, "schema/daemon.schema.json")}\n\n`

/** The JSON Schema as the text of a file. */
export const settingsSchemaText = (): string => `${JSON.stringify(settingsSchema(), null, 2)}\n`
