import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Struct from "effect/Struct"
import { listed } from "../text/Words.ts"
import { type ArgumentKey, type ArgumentValues, argumentRow } from "./ArgumentTable.ts"
import { helpFor, scan } from "./CommandScan.ts"
import {
  argumentsOf,
  commandRow,
  type Group,
  isGroup,
  nextWords,
  type Verb,
  verbs,
  verbsWith
} from "./CommandTable.ts"
import { type OptionValues, optionKeys, optionTable, type QuestionValues } from "./OptionTable.ts"
import { UsageError } from "./UsageError.ts"

/** One command to carry out. */
export interface Invocation {
  readonly verb: Verb
  /** All the arguments that the command has. */
  readonly args: ArgumentValues
  /** Only what was given: defaults are left to the settings, which stand between command line and default. */
  readonly options: OptionValues
  /** Everything after the first `--`, untouched and never empty; undefined when there is no `--`. */
  readonly workerArgv: ReadonlyArray<string> | undefined
}

/** The shells for which there are completions. `sh` gets those of bash. */
export type Shell = NonNullable<QuestionValues["completions"]>

/** What a command line asks for. */
export type CommandLine = Data.TaggedEnum<{
  Run: { readonly invocation: Invocation }
  /** Help of a command or of a group of commands, or the general help. */
  Help: { readonly topic: Verb | Group | undefined }
  Version: {}
  Completions: { readonly shell: Shell }
}>

export const CommandLine = Data.taggedEnum<CommandLine>()

/** Refuses options that the command does not have, those that make no sense without another, and missing arguments. */
const refuseUnsuited = (invocation: Invocation): UsageError | undefined => {
  const { args, options, verb, workerArgv } = invocation
  const row = commandRow(verb)
  const wrong = (problem: string) => new UsageError({ problem, help: helpFor(verb) })
  for (const key of Struct.keys(options)) {
    if (row.options.includes(key)) continue
    return wrong(`--${optionTable[key].long} belongs to ${listed(verbsWith(key))}, not to ${verb}.`)
  }
  if (row.needs !== undefined && row.needs.option in options && !(row.needs.other in options)) {
    const { because, option, other } = row.needs
    const [long, needed] = [optionTable[option].long, optionTable[other].long]
    return wrong(`${verb} takes --${long} only with --${needed}: ${because}.`)
  }
  if (workerArgv !== undefined && !row.takesWorker) {
    const takers = verbs.filter((other) => commandRow(other).takesWorker)
    return wrong(`"--" and a worker's command belong to ${listed(takers)}, not to ${verb}.`)
  }
  if (workerArgv?.length === 0) return wrong(`Nothing follows "--": the worker's command is missing.`)
  const missing = argumentsOf(verb).find((key) => args[key] === undefined)
  return missing === undefined ? undefined : wrong(`${verb} needs ${argumentRow(missing).needed}.`)
}

/**
 * What a command line asks for. `argv` is without the runtime and the script. Options may stand before, between and
 * after the words of the command; no words mean `start`. Of several things that are wrong, the error names the one
 * that a person reads first.
 */
export const parse = (argv: ReadonlyArray<string>): Either.Either<CommandLine, UsageError> => {
  const cut = argv.indexOf("--")
  const workerArgv = cut === -1 ? undefined : argv.slice(cut + 1)
  return Either.flatMap(
    scan(cut === -1 ? argv : argv.slice(0, cut)),
    ({ args, asksHelp, options, questions, topic }): Either.Either<CommandLine, UsageError> => {
      if (asksHelp || questions.help === true) return Either.right(CommandLine.Help({ topic }))
      if (questions.version === true) return Either.right(CommandLine.Version())
      if (questions.completions !== undefined) {
        return Either.right(CommandLine.Completions({ shell: questions.completions }))
      }
      if (topic !== undefined && isGroup(topic)) {
        const problem = `"${topic}" needs one more word: ${listed(nextWords(topic), "or")}.`
        return Either.left(new UsageError({ problem, help: helpFor(topic) }))
      }
      const invocation: Invocation = { verb: topic ?? "start", args, options, workerArgv }
      const unsuited = refuseUnsuited(invocation)
      return unsuited === undefined ? Either.right(CommandLine.Run({ invocation })) : Either.left(unsuited)
    }
  )
}

/** An argument that the command has: `parse` lets none through without it, so that its absence is a bug. */
export const argumentOf = <K extends ArgumentKey>(
  { args, verb }: Invocation,
  key: K
): NonNullable<ArgumentValues[K]> => {
  const value = args[key]
  if (value === undefined || value === null) throw new Error(`${verb} was carried out without its ${key}.`)
  return value
}

/** The arguments of an invocation as they are written, in their order. */
export const givenArguments = ({ args, verb }: Invocation): ReadonlyArray<string> =>
  argumentsOf(verb).flatMap((key) => {
    const value = args[key]
    return value === undefined ? [] : [value]
  })

/** Options of an invocation as `[name, value]`, in the order of the table; the value of a flag is undefined. */
export const givenOptions = (
  invocation: Invocation
): ReadonlyArray<readonly [name: string, value: string | undefined]> =>
  optionKeys.flatMap((key) => {
    const value = invocation.options[key]
    if (value === undefined) return []
    return [[`--${optionTable[key].long}`, value === true ? undefined : String(value)] as const]
  })

/**
 * The one way to write an invocation: command, arguments, options by their long names in the order of the table, `--` and the
 * worker's command line. `parse` reads it back to an equal invocation.
 */
export const canonicalArgv = (invocation: Invocation): ReadonlyArray<string> => [
  ...invocation.verb.split(" "),
  ...givenArguments(invocation),
  ...givenOptions(invocation).flatMap(([name, value]) => {
    if (value === undefined) return [name]
    return value.startsWith("-") ? [`${name}=${value}`] : [name, value]
  }),
  ...(invocation.workerArgv === undefined ? [] : ["--", ...invocation.workerArgv])
]
