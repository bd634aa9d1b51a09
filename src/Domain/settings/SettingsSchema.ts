import * as Option from "effect/Option"
import * as AST from "effect/SchemaAST"
import { ProjectName } from "../Project.ts"
import { defaultOf, projectsKey, settingNotes, tableDescriptions, topLevelOnly } from "./SettingKeys.ts"
import { Settings } from "./Settings.ts"
import { hoistable } from "./SettingsHoist.ts"

interface Node {
  readonly properties?: Properties
  readonly anyOf?: ReadonlyArray<Node>
  readonly [keyword: string]: unknown
}

type Properties = Readonly<Record<string, Node>>

/** A `required` key of a table never has its default. */
const documentation = (key: string, required: boolean): Node => {
  const note = settingNotes.get(key)
  const description = note?.description ?? tableDescriptions.get(key)
  if (description === undefined) return {}
  if (required || note === undefined) return { description }
  if (note.unset !== undefined && note.unset !== "none") {
    return { description: `${description} Default: ${note.unset}.` }
  }
  const value = defaultOf(key)
  return value === undefined ? { description } : { description, default: value }
}

const nodeOf = (ast: AST.AST, key: string, required = false): Node => ({
  ...documentation(key, required),
  ...constraints(ast, key)
})

/**
 * The accepted values of the encoded side. `JSONSchema.make` of effect would name each refinement
 * (`title: "between(0, 1)"`), which editors show in place of the setting's own description.
 */
const constraints = (ast: AST.AST, key: string): Node => {
  switch (ast._tag) {
    case "StringKeyword":
      return { type: "string" }
    case "NumberKeyword":
      return { type: "number" }
    case "BooleanKeyword":
      return { type: "boolean" }
    case "Literal":
      return { const: ast.literal }
    case "Union":
      return ast.types.every(AST.isLiteral)
        ? { enum: ast.types.filter(AST.isLiteral).map(({ literal }) => literal) }
        : { anyOf: ast.types.map((member) => constraints(member, key)) }
    case "TupleType":
      return {
        type: "array",
        items: constraints(ast.rest[0]?.type ?? AST.neverKeyword, key),
        ...(ast.elements.length === 0 ? {} : { minItems: ast.elements.length })
      }
    case "Refinement":
      return { ...constraints(ast.from, key), ...Option.getOrUndefined(AST.getJSONSchemaAnnotation(ast)) }
    case "Suspend":
      return constraints(ast.f(), key)
    case "Transformation":
      return constraints(ast.from, key)
    case "TypeLiteral":
      return ast.indexSignatures.length === 0 ? tableOf(ast, key) : mapOf(ast, key)
    default:
      throw new Error(`No JSON Schema for ${key}: ${ast._tag}`)
  }
}

const tableOf = (ast: AST.TypeLiteral, key: string): Node => {
  const required = ast.propertySignatures.filter(({ isOptional }) => !isOptional).map(({ name }) => name)
  return {
    type: "object",
    properties: Object.fromEntries(
      ast.propertySignatures.map(({ isOptional, name, type }) => [
        name,
        nodeOf(type, key === "" ? String(name) : `${key}.${String(name)}`, !isOptional)
      ])
    ),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false
  }
}

const mapOf = ({ indexSignatures: [entry] }: AST.TypeLiteral, key: string): Node => ({
  type: "object",
  propertyNames: constraints(entry?.parameter ?? AST.neverKeyword, key),
  additionalProperties: constraints(entry?.type ?? AST.neverKeyword, key)
})

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
  const root = nodeOf(Settings.ast, "")
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
        propertyNames: constraints(ProjectName.ast, "projects"),
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
