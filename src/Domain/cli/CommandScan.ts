import * as Struct from "effect/Struct"
import { nearestName } from "../text/NearestName.ts"
import { quoted } from "../text/Printable.ts"
import { type ArgumentKey, type ArgumentValues, argumentRow } from "./ArgumentTable.ts"
import {
  aliases,
  argumentsOf,
  type Group,
  isGroup,
  nextWords,
  type Verb,
  verbNamed,
  verbs
} from "./CommandTable.ts"
import {
  type OptionKey,
  type OptionRow,
  type OptionValues,
  optionTable,
  type QuestionKey,
  type QuestionValues,
  questionTable
} from "./OptionTable.ts"
import { UsageError } from "./UsageError.ts"

/** The words and options before the first `--`, each parsed on its own. */
interface Scan {
  /** The command, or the first word of a command of two words. */
  readonly topic: Verb | Group | undefined
  /** True if the first word was `help`. */
  readonly asksHelp: boolean
  /** The given arguments, perhaps not all. */
  readonly args: ArgumentValues
  readonly options: OptionValues
  readonly questions: QuestionValues
}

const rows: Record<OptionKey | QuestionKey, OptionRow> = { ...optionTable, ...questionTable }
const keys = Struct.keys(rows)
const longNames = new Map<string, OptionKey | QuestionKey>(
  keys.flatMap((key) => {
    const { alias, long } = rows[key]
    return [long, ...(alias === undefined ? [] : [alias])].map((name) => [`--${name}`, key] as const)
  })
)
const shortNames = new Map<string, OptionKey | QuestionKey>(
  keys.flatMap((key) => {
    const short = rows[key].short
    return short === undefined ? [] : [[`-${short}`, key] as const]
  })
)

/** The command line that prints the help of a topic. */
export const helpFor = (topic: Verb | Group | undefined): string =>
  topic === undefined ? "autopilotd --help" : `autopilotd ${topic} --help`

const suggestion = (given: string, names: ReadonlyArray<string>): string => {
  const nearest = nearestName(given, names)
  return nearest === undefined ? "" : ` Did you mean "${nearest}"?`
}

/** Options that a word may stand for: `autopilotd version`. */
const questionWords: ReadonlyArray<string> = ["version", "completions"] satisfies ReadonlyArray<QuestionKey>

/** What to write instead of a word after a command that takes none, where users expect that it does. */
const insteadOf: Readonly<Partial<Record<Verb, string>>> = {
  start: `the worker's command goes after "--", as in autopilotd start -- CMD ARGS, and the worker of a project is started by autopilotd start-worker NAME`,
  stop: "the daemon stops with the workers of all its projects, and autopilotd stop-worker NAME stops one worker"
}

/** The topic after one more word. */
const withWord = (topic: Verb | Group | undefined, word: string): Verb | Group | undefined => {
  const longer = topic === undefined ? word : `${topic} ${word}`
  return verbNamed(longer) ?? (isGroup(longer) ? longer : undefined)
}

/** The problem with a word that makes no topic. `before` are the arguments given so far. */
const unknownWord = (
  topic: Verb | Group | undefined,
  before: ReadonlyArray<string>,
  word: string
): string => {
  if (topic !== undefined && !isGroup(topic)) {
    const instead = insteadOf[topic]
    return instead === undefined
      ? `Unexpected ${quoted(word)} after ${quoted([topic, ...before].join(" "))}.`
      : `Unexpected ${quoted(word)}: ${instead}.`
  }
  if (topic !== undefined) {
    const longer = `${topic} ${word}`
    return `Unknown command ${quoted(longer)}.${suggestion(longer, verbs)}`
  }
  const near = suggestion(word, [...nextWords(undefined), "help", ...questionWords, ...verbs, ...aliases])
  return `Unknown command ${quoted(word)}.${near === "" ? ` A worker's command goes after "start --".` : near}`
}

/** What other web servers call the address that they listen on. No option has such a name, on purpose. */
const addressNames: ReadonlyArray<string> = ["--bind", "--listen", "--address"]

const unknownOption = (given: string): string => {
  if (addressNames.some((name) => given === name || given.startsWith(`${name}=`)))
    return `Unknown option ${quoted(given)}. The panel listens on 127.0.0.1 only; on another machine, run there by autopilotd gui --host HOST, its port leads here.`
  if (longNames.has(`-${given}`)) return `Unknown option ${quoted(given)}: write ${quoted(`-${given}`)}.`
  if (/^-[A-Za-z]=/.test(given))
    return `Unknown option ${quoted(given)}: write ${quoted(`${given.slice(0, 2)} ${given.slice(3)}`)}.`
  // A negative number is not a mistyped option.
  if (/^-[\d.]/.test(given)) return `Unknown option ${quoted(given)}.`
  const names = given.startsWith("--") ? [...longNames.keys()] : [...shortNames.keys()]
  return `Unknown option ${quoted(given)}.${suggestion(given, names)}`
}

/** The argument to which the next word belongs, if the command takes one more. */
const nextArgument = (topic: Verb | Group | undefined, given: number): ArgumentKey | undefined => {
  if (topic === undefined || isGroup(topic)) return undefined
  const all = argumentsOf(topic)
  const last = all.at(-1)
  return all[given] ?? (last !== undefined && argumentRow(last)._tag === "Several" ? last : undefined)
}

/** A text in the place of a value that is probably the next option: `--model --json`, but not `--max-turns -5`. */
const looksLikeOption = (given: string, numeric: boolean): boolean =>
  given.length > 1 && given.startsWith("-") && !(numeric && /^-[\d.]/.test(given))

/** The letters of options behind one dash: flags, and a last one with what follows it as its value, as in `-fn5`. */
interface Letters {
  readonly flags: ReadonlyArray<OptionKey | QuestionKey>
  readonly last: string
  readonly inline: string | undefined
}

/** Undefined for what is not the letters of options; `-json` is a slip of `--json`, and `-w=DIR` is ambiguous. */
const lettersOf = (token: string): Letters | undefined => {
  if (token.startsWith("--") || longNames.has(`-${token}`)) return undefined
  const flags: Array<OptionKey | QuestionKey> = []
  for (let at = 1; at < token.length; at++) {
    const last = `-${token.charAt(at)}`
    const key = shortNames.get(last)
    if (key === undefined) return undefined
    const rest = token.slice(at + 1)
    if (rest === "") return { flags, last, inline: undefined }
    if (rows[key]._tag === "Valued") return rest.startsWith("=") ? undefined : { flags, last, inline: rest }
    flags.push(key)
  }
  return undefined
}

/**
 * Reads words and options from left to right and stops at the first problem. `parse` checks afterwards that the options
 * belong to the command.
 */
export const scan = (argv: ReadonlyArray<string>): Scan | UsageError => {
  let topic: Verb | Group | undefined
  let asksHelp = false
  const words: Array<string> = []
  const args = new Map<ArgumentKey, unknown>()
  const lists = new Map<ArgumentKey, Array<unknown>>()
  const values = new Map<OptionKey | QuestionKey, unknown>()
  const wrong = (problem: string) => new UsageError({ problem, help: helpFor(topic) })

  for (let at = 0; at < argv.length; at++) {
    const isQuestion = topic === undefined && !asksHelp && questionWords.includes(argv[at] ?? "")
    const token = `${isQuestion ? "--" : ""}${argv[at] ?? ""}`
    const argument = nextArgument(topic, words.length)
    const expected = argument === undefined ? undefined : argumentRow(argument)
    if (!looksLikeOption(token, expected?.value.numeric === true)) {
      if (argument !== undefined && expected !== undefined) {
        const value = expected.value.decode(token)
        if (value === undefined) {
          return wrong(`${expected.placeholder} expects ${expected.value.expects}, got ${quoted(token)}.`)
        }
        words.push(token)
        const list = expected._tag === "Several" ? (lists.get(argument) ?? []) : undefined
        list?.push(value)
        if (list !== undefined) lists.set(argument, list)
        args.set(argument, list ?? value)
        continue
      }
      if (token === "help" && topic === undefined && !asksHelp) {
        asksHelp = true
        continue
      }
      const next = withWord(topic, token)
      if (next === undefined) return wrong(unknownWord(topic, words, token))
      topic = next
      continue
    }

    const equals = token.startsWith("--") ? token.indexOf("=") : -1
    const letters = lettersOf(token)
    const name = letters?.last ?? (equals === -1 ? token : token.slice(0, equals))
    const inline = letters?.inline ?? (equals === -1 ? undefined : token.slice(equals + 1))
    const key = longNames.get(name) ?? shortNames.get(name)
    if (key === undefined) return wrong(unknownOption(name))
    for (const flag of letters?.flags ?? []) {
      if (values.has(flag) && flag !== "help") return wrong(`--${rows[flag].long} is given twice.`)
      values.set(flag, true)
    }
    const row = rows[key]
    if (row._tag === "Flag") {
      if (inline !== undefined) return wrong(`--${row.long} takes no value, got ${quoted(inline)}.`)
      if (values.has(key) && key !== "help") return wrong(`--${row.long} is given twice.`)
      values.set(key, true)
      continue
    }
    const following = argv[at + 1]
    if (inline === undefined && (following === undefined || looksLikeOption(following, row.value.numeric))) {
      const instead = following === undefined ? "nothing follows it" : `${quoted(following)} follows it`
      return wrong(`--${row.long} expects ${row.value.expects}, but ${instead}.`)
    }
    const given = inline ?? following ?? ""
    if (inline === undefined) at++
    if (values.has(key)) return wrong(`--${row.long} is given twice.`)
    const value = row.value.decode(given)
    if (value === undefined) {
      return wrong(`--${row.long} expects ${row.value.expects}, got ${quoted(given)}.`)
    }
    values.set(key, value)
  }

  // The decoder of each row made its value, and the types of these records are derived from the rows.
  const pick = (table: object) => Object.fromEntries([...values].filter(([key]) => Object.hasOwn(table, key)))
  return {
    topic,
    asksHelp,
    args: Object.fromEntries(args),
    options: pick(optionTable),
    questions: pick(questionTable)
  }
}
