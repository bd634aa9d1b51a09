import * as Struct from "effect/Struct"
import { listed } from "../text/TextLayout.ts"
import { type ArgumentKey, type ArgumentValues, argumentRow } from "./ArgumentTable.ts"
import { helpFor, scan } from "./CommandScan.ts"
import {
  argumentsOf,
  commandRow,
  type Group,
  isGroup,
  nextWords,
  optionsUnderstood,
  requiredArguments,
  type Verb,
  verbs,
  verbsWith
} from "./CommandTable.ts"
import { type OptionValues, optionKeys, optionTable, type QuestionValues } from "./OptionTable.ts"
import { UsageError } from "./UsageError.ts"

/** One command to carry out. */
export interface Invocation {
  readonly verb: Verb
  /** All arguments of the command. `name` is never among them, and `names` only with two or more: see `options.project`. */
  readonly args: ArgumentValues
  /** Only the given options. Defaults are left to the settings, which rank between command line and default. */
  readonly options: OptionValues
  /** The words after the first `--`, unchanged and never empty. Undefined without `--`. */
  readonly workerArgv: ReadonlyArray<string> | undefined
}

/** The shells with completions. `sh` gets those of bash. */
export type Shell = NonNullable<QuestionValues["completions"]>

/** The meaning of a command line. */
export type CommandLine =
  | { readonly _tag: "Run"; readonly invocation: Invocation }
  /** Help of a command or of a group of commands, or the general help. */
  | { readonly _tag: "Help"; readonly topic: Verb | Group | undefined; readonly isAll: boolean }
  | { readonly _tag: "Version"; readonly json?: true; readonly host?: string }
  | { readonly _tag: "Completions"; readonly shell: Shell }

/** Checks that the options and arguments belong together and to the command. */
const unsuitedIn = (invocation: Invocation): UsageError | undefined => {
  const { args, options, verb, workerArgv } = invocation
  const row = commandRow(verb)
  const wrong = (problem: string) => new UsageError({ problem, help: helpFor(verb) })
  for (const key of Struct.keys(options)) {
    if (optionsUnderstood(verb).includes(key)) continue
    const owners = [...(key === "all" ? ["help"] : []), ...verbsWith(key)]
    return wrong(`--${optionTable[key].long} belongs to ${listed(owners)}, not to ${verb}.`)
  }
  if (row.needs !== undefined && row.needs.option in options && !(row.needs.other in options)) {
    const { because, option, other } = row.needs
    const [long, needed] = [optionTable[option].long, optionTable[other].long]
    return wrong(`${verb} takes --${long} only with --${needed}: ${because}.`)
  }
  const { excludes } = row
  const excluded = excludes?.options.find((key) => key in options)
  if (excludes !== undefined && excluded !== undefined && excludes.other in options) {
    const [long, other] = [optionTable[excluded].long, optionTable[excludes.other].long]
    return wrong(`${verb} takes --${long} only without --${other}: ${excludes.because}.`)
  }
  if (workerArgv !== undefined && !row.takesWorker) {
    const takers = verbs.filter((other) => commandRow(other).takesWorker)
    return wrong(`"--" and a worker's command belong to ${listed(takers)}, not to ${verb}.`)
  }
  if (workerArgv === undefined && row.needsWorker === true)
    return wrong(`${verb} needs the worker's command after "--", as in autopilotd ${verb} -- CMD ARGS.`)
  if (workerArgv?.length === 0) return wrong(`Nothing follows "--": the worker's command is missing.`)
  const missing = requiredArguments(verb).find((key) => args[key] === undefined)
  return missing === undefined ? undefined : wrong(`${verb} needs ${argumentRow(missing).needed}.`)
}

/** Makes `status shop` the same as `status --project shop`. Several names stay an argument, each of them once. */
const withNames = (invocation: Invocation): Invocation | UsageError => {
  const { name, names = [], ...args } = invocation.args
  const given = [...new Set(name === undefined ? names : [name, ...names])]
  const [first, ...others] = given
  if (first === undefined) return invocation
  const { options, verb } = invocation
  const { project } = options
  if (project !== undefined && (others.length > 0 || first !== project)) {
    const problem = `${verb} names ${listed(given)}, but --project names ${project}: name the project once.`
    return new UsageError({ problem, help: helpFor(verb) })
  }
  return others.length === 0
    ? { ...invocation, args, options: { ...options, project: first } }
    : { ...invocation, args: { ...args, names: given } }
}

/**
 * Parses a command line. `argv` has neither runtime nor script. Options may stand before, between and after the words of
 * the command; without words the command is `start`. The error names the leftmost of several problems. No Either: its
 * modules would be a fifth of what each command loads.
 */
export const parse = (argv: ReadonlyArray<string>): CommandLine | UsageError => {
  const cut = argv.indexOf("--")
  const workerArgv = cut === -1 ? undefined : argv.slice(cut + 1)
  const scanned = scan(cut === -1 ? argv : argv.slice(0, cut))
  if (scanned instanceof UsageError) return scanned
  const { args, asksHelp, options, questions, topic } = scanned
  if (asksHelp || questions.help === true) return { _tag: "Help", topic, isAll: options.all === true }
  if (questions.version === true)
    return {
      _tag: "Version",
      ...(options.json && { json: true }),
      ...(options.host !== undefined && { host: options.host })
    }
  if (questions.completions !== undefined) return { _tag: "Completions", shell: questions.completions }
  if (topic !== undefined && isGroup(topic)) {
    const problem = `"${topic}" needs one more word: ${listed(nextWords(topic), "or")}.`
    return new UsageError({ problem, help: helpFor(topic) })
  }
  const named = withNames({ verb: topic ?? "start", args, options, workerArgv })
  if (named instanceof UsageError) return named
  return unsuitedIn(named) ?? { _tag: "Run", invocation: named }
}

/** An argument of the command. `parse` requires it, so its absence is a bug. */
export const argumentOf = <K extends ArgumentKey>(
  { args, verb }: Invocation,
  key: K
): NonNullable<ArgumentValues[K]> => {
  const value = args[key]
  if (value === undefined || value === null) throw new Error(`${verb} was carried out without its ${key}.`)
  return value
}

/** The arguments of an invocation as written, in their order. */
export const givenArguments = ({ args, verb }: Invocation): ReadonlyArray<string> =>
  argumentsOf(verb).flatMap((key): ReadonlyArray<string> => {
    const value = args[key]
    return value === undefined ? [] : typeof value === "string" ? [value] : value
  })

/** The options of an invocation in the order of the table. The value of a flag is undefined. */
export const givenOptions = (
  invocation: Invocation
): ReadonlyArray<readonly [name: string, value: string | undefined]> =>
  optionKeys.flatMap((key) => {
    const value = invocation.options[key]
    if (value === undefined) return []
    return [[`--${optionTable[key].long}`, value === true ? undefined : String(value)] as const]
  })

/**
 * The canonical command line of an invocation: command, arguments, options by their long names in the order of the
 * table, `--` and the worker's command line. `parse` reads it back to an equal invocation.
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
