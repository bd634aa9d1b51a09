import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { errorCodes } from "../control/ErrorCode.ts"
import { DaemonEvent } from "../history/DaemonEvent.ts"
import { HistoryRow } from "../history/HistoryData.ts"
import { AgentData, LastAgentData } from "../status/AgentData.ts"
import { ProjectsData } from "../status/ProjectsData.ts"
import { StatusData } from "../status/StatusData.ts"
import { codeBlock, generatedNote, markdownTable } from "../text/Markdown.ts"
import { answerSchemas, lineCommands } from "./AnswerSchemas.ts"
import { errorMeanings } from "./ErrorMeanings.ts"
import { errorExample, statusExample } from "./Examples.ts"
import { fieldRows, type OwnTables } from "./FieldRows.ts"
import { answerText } from "./JsonAnswer.ts"
import { twinKeys } from "./TwinKeys.ts"

const introduction = [
  "With `--json` a command prints one answer for programs, a line of JSON on standard output, also when it fails and also for a command line that it does not understand. All answers have one shape:",
  markdownTable(
    ["Field", "Type", "Meaning"],
    [
      ["`success`", "boolean", "The command has done what it was asked"],
      ["`message`", "string", "What a user reads: for people, not to compare with"],
      ["`code`", "string", "The kind of error, one of the [codes](#codes). Present when `success` is false"],
      ["`data`", "object", "The tables below. Absent where there is nothing to say"]
    ]
  )
]

const rules = [
  "An answer may get more fields in a later version; a field keeps its name and its meaning. A field with a `?` is absent when it does not apply or is not known, never zero instead.",
  "- **Times and amounts** stand twice: as a number, and right after it as ISO 8601 in UTC or in US dollars (`next_start_at_ms` and `next_start_at`, `cost_micro_usd` and `cost_usd`). The command adds the second one; the [control socket](protocol.md) sends the first one only.\n- **Several names**, as in `autopilotd status shop blog --json`: `data.answers` has one answer for each, with its `project`, `success`, `message`, `code` and `data`.\n- **Lines**: `logs` and `events` print one object per line as things happen, without `success`. A failure is an answer, and the last line.\n- **Formerly beside `message`**: the data of `start`, `run`, `doctor`, `init`, `install`, `uninstall`, `config check` and `config schema` stands there as well, for programs that look for it there.\n- **Exit codes** are the same with and without `--json`. `status` of one failed worker exits with 4 although `success` is true: the question was answered."
]

/** The objects that more than one answer has. */
const shared: ReadonlyArray<readonly [name: string, schema: Schema.Schema.AnyNoContext]> = [
  ["status", StatusData],
  ["projects", ProjectsData],
  ["agent", AgentData],
  ["last_agent", LastAgentData],
  ["record", HistoryRow]
]

const tables: OwnTables = new Map<AST.AST, string>([
  ...shared.map(([name, { ast }]) => [ast, name] as const),
  [DaemonEvent.ast, "events"]
])

const headings = ["Field", "Type", "Unit", "Meaning"]

const tableOf = (ast: AST.TypeLiteral): string =>
  markdownTable(
    headings,
    fieldRows(ast, tables).map(({ isOptional, meaning, path, type, unit }) => [
      `\`${path}\`${isOptional ? " ?" : ""}`,
      type,
      unit,
      meaning
    ])
  )

const textOf = (ast: AST.AST): ReadonlyArray<string> =>
  Option.match(AST.getDescriptionAnnotation(ast), { onNone: () => [], onSome: (text) => [`${text}:`] })

/** The tables of the objects that an answer may have. */
const bodyOf = (ast: AST.AST): ReadonlyArray<string> => {
  const name = tables.get(ast)
  if (name !== undefined) return [`See [${name}](#${name}).`]
  if (AST.isUnion(ast)) return ast.types.flatMap(bodyOf)
  if (!AST.isTypeLiteral(ast)) return []
  return ast.propertySignatures.length === 0 ? textOf(ast) : [...textOf(ast), tableOf(ast)]
}

/** The commands with the same data, in the order of their table. */
const commandSections = (): ReadonlyArray<string> => {
  const groups = new Map<AST.AST, Array<string>>()
  for (const [command, { ast }] of Object.entries(answerSchemas))
    groups.set(ast, [...(groups.get(ast) ?? []), command])
  return [...groups].flatMap(([ast, commands]) => [
    `### ${commands.map((command) => `autopilotd ${command}`).join(", ")}`,
    ...(lineCommands.includes(commands[0] ?? "") ? ["Each line is one of these objects."] : []),
    ...bodyOf(ast)
  ])
}

const sharedSections = (): ReadonlyArray<string> =>
  shared.flatMap(([name, { ast }]) => [`### ${name}`, ...(AST.isTypeLiteral(ast) ? [tableOf(ast)] : [])])

const eventTable = (): string =>
  markdownTable(
    ["`_tag`", "Fields"],
    DaemonEvent.members.map(({ ast }) => {
      const rows = AST.isTypeLiteral(ast) ? fieldRows(ast, tables) : []
      const [tag, fields] = Arr.partition(rows, ({ path }) => path !== "_tag")
      // The parts of a verdict and the like would fill pages.
      const outer = fields.filter(({ path }) => !/[.[]/.test(path))
      return [
        tag.map(({ type }) => type).join(""),
        outer.map(({ isOptional, path, type }) => `\`${path}\`${isOptional ? " ?" : ""} (${type})`).join(", ")
      ]
    })
  )

/** docs/json.md: what programs read. `exitCodeOf` is the exit code of an error. */
export const jsonPage = (exitCodeOf: (code: (typeof errorCodes)[number]) => number): string =>
  `${[
    "# JSON",
    generatedNote,
    ...introduction,
    codeBlock("json", [answerText(statusExample, twinKeys).trimEnd()]),
    codeBlock("json", [answerText(errorExample, twinKeys).trimEnd()]),
    ...rules,
    "## Codes",
    "A code keeps its meaning. Codes may be added: treat an unknown one as `refused`.",
    markdownTable(
      ["Code", "Meaning", "Exit code"],
      errorCodes.map((code) => [`\`${code}\``, errorMeanings[code], String(exitCodeOf(code))])
    ),
    "## Data",
    "A command that is not here has no data.",
    ...commandSections(),
    "## Objects",
    ...sharedSections(),
    "## Events",
    "The fields of each kind of event, in `history`, `why` and `events`. `project` is absent in an event of the daemon itself.",
    eventTable()
  ].join("\n\n")}\n`
