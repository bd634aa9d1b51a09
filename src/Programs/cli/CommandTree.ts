import * as Args from "@effect/cli/Args"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Terminal from "@effect/platform/Terminal"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { type ArgumentKey, argumentRow } from "../../Domain/cli/ArgumentTable.ts"
import { givenArguments, givenOptions, type Invocation, type Shell } from "../../Domain/cli/CommandLine.ts"
import {
  argumentsOf,
  commandRow,
  type Group,
  groups,
  groupTable,
  type Verb,
  verbs
} from "../../Domain/cli/CommandTable.ts"
import { type OptionKey, type OptionRow, optionTable } from "../../Domain/cli/OptionTable.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import { printable, quoted } from "../../Domain/text/Printable.ts"
import { mendedCompletions } from "./CompletionScript.ts"

/** What carries out one command. */
export type Handler<E, R> = (invocation: Invocation) => Effect.Effect<void, E, R>

/**
 * The command tree of @effect/cli over the command table. What it reads has been read by `parse` before,
 * which is stricter and explains better; the tree carries it out.
 */
export interface CommandTree<E, R> {
  /** Carries out what `parse` has understood. */
  readonly run: (invocation: Invocation) => Effect.Effect<void, E | UsageError, R>
  /** Reads a command line by the tree alone: without the script's name, the command first, options spelled out. */
  readonly read: (argv: ReadonlyArray<string>) => Effect.Effect<void, E | UsageError, R>
  /** The script that completes `autopilotd` in a shell, ending in a newline. */
  readonly completions: (shell: Shell) => Effect.Effect<string, UsageError>
}

const optionOf = (row: OptionRow): Options.Options<Option.Option<unknown>> => {
  if (row._tag === "Flag") {
    return Options.boolean(row.long).pipe(
      Options.withDescription(row.summary),
      Options.map((given) => (given ? Option.some(true) : Option.none()))
    )
  }
  const { completes, decode, expects } = row.value
  const plain =
    completes === "directory"
      ? Options.directory(row.long, { exists: "either" })
      : completes === "file"
        ? Options.file(row.long, { exists: "either" })
        : Options.text(row.long)
  const named = row.short === undefined ? plain : Options.withAlias(plain, row.short)
  return named.pipe(
    Options.withPseudoName(row.placeholder),
    Options.withDescription(row.summary),
    Options.mapEffect((given) => {
      const value = decode(given)
      return value === undefined
        ? Effect.fail(ValidationError.invalidValue(HelpDoc.p(`--${row.long} expects ${expects}.`)))
        : Effect.succeed(value)
    }),
    Options.optional
  )
}

const optionsOf = (keys: ReadonlyArray<OptionKey>) =>
  Options.all(Object.fromEntries(keys.map((key) => [key, optionOf(optionTable[key])])))

const argumentOf = (key: ArgumentKey): Args.Args<unknown> => {
  const { placeholder, summary, value } = argumentRow(key)
  return Args.text({ name: placeholder }).pipe(
    Args.withDescription(summary),
    Args.mapEffect((given) => {
      const decoded = value.decode(given)
      return decoded === undefined
        ? Effect.fail(HelpDoc.p(`${placeholder} expects ${value.expects}.`))
        : Effect.succeed(decoded)
    })
  )
}

const argumentsFor = (verb: Verb) =>
  Object.fromEntries(argumentsOf(verb).map((key) => [key, argumentOf(key)]))

/** What a command of the tree does with what it has read: it hands it over, to be carried out outside the tree. */
type Deliver = (invocation: Invocation) => Effect.Effect<void>

const leaf = (verb: Verb, deliver: Deliver) => {
  const row = commandRow(verb)
  return Command.make(
    verb.split(" ").slice(-1).join(""),
    {
      args: argumentsFor(verb),
      options: optionsOf(row.options),
      workerArgv: row.takesWorker
        ? Args.text({ name: "worker" }).pipe(Args.repeated)
        : Args.map(Args.none, (): Array<string> => [])
    },
    ({ args, options, workerArgv }) =>
      deliver({
        verb,
        // Each value was made by the decoder of its own row, which is what the types are made of.
        args,
        options: Object.fromEntries(
          Object.entries(options).flatMap(([key, value]) =>
            Option.isSome(value) ? [[key, value.value]] : []
          )
        ),
        workerArgv: workerArgv.length === 0 ? undefined : workerArgv
      })
  ).pipe(Command.withDescription(row.summary))
}

const nonEmpty = <A>(commands: ReadonlyArray<A>): Arr.NonEmptyReadonlyArray<A> => {
  if (!Arr.isNonEmptyReadonlyArray(commands)) throw new Error("A group in the command table has no commands.")
  return commands
}

const group = (name: Group, deliver: Deliver) =>
  Command.make(name).pipe(
    Command.withDescription(groupTable[name]),
    Command.withSubcommands(
      nonEmpty(verbs.filter((verb) => verb.startsWith(`${name} `)).map((verb) => leaf(verb, deliver)))
    )
  )

const root = (deliver: Deliver) =>
  Command.make("autopilotd").pipe(
    Command.withSubcommands(
      nonEmpty([
        ...verbs.filter((verb) => !verb.includes(" ")).map((verb) => leaf(verb, deliver)),
        ...groups.map((name) => group(name, deliver))
      ])
    )
  )

/**
 * The least that @effect/cli needs. It must not look at files: whether a path exists is asked by the command that
 * uses it, and with `exists` always false the tree takes each path as it is. Nobody is asked anything.
 */
const environment = Layer.mergeAll(
  FileSystem.layerNoop({ exists: () => Effect.succeed(false) }),
  Path.layer,
  Layer.succeed(
    Terminal.Terminal,
    Terminal.Terminal.of({
      columns: Effect.succeed(80),
      rows: Effect.succeed(24),
      isTTY: Effect.succeed(false),
      readInput: Effect.dieMessage("autopilotd asks nothing on the terminal"),
      readLine: Effect.dieMessage("autopilotd asks nothing on the terminal"),
      display: () => Effect.void
    })
  ),
  CliConfig.layer({ isCaseSensitive: true, autoCorrectLimit: 0, showBuiltIns: false })
)

const wrong = (problem: string): UsageError => new UsageError({ problem, help: "autopilotd --help" })

/** The sentence in an error of @effect/cli, without its colours. */
const usageError = (error: ValidationError.ValidationError): UsageError => {
  const plain = HelpDoc.toAnsiText(error.error).replace(/\p{Cc}\[[\d;]*m/gu, "")
  return wrong(printable(plain.trim(), 400))
}

/**
 * Runs the tree on a command line: what its command has delivered, and what it has printed. @effect/cli prints its
 * errors itself, with colours, and then fails with them: what it prints to stderr is dropped here, so that a person
 * sees each error once.
 */
const runTree = Effect.fnUntraced(function* (argv: ReadonlyArray<string>) {
  const delivered = yield* Ref.make(Option.none<Invocation>())
  const printed = yield* Ref.make("")
  const tree = Command.run(
    root((invocation) => Ref.set(delivered, Option.some(invocation))),
    // The version is answered before the tree is loaded.
    { name: "autopilotd", version: "" }
  )
  const quiet = (console: Console.Console): Console.Console => ({
    ...console,
    error: () => Effect.void,
    log: (...texts) => Ref.update(printed, (before) => `${before}${texts.join(" ")}\n`)
  })
  yield* Console.consoleWith((console) =>
    tree(["node", "autopilotd", ...argv]).pipe(
      Effect.provide(environment),
      Effect.mapError(usageError),
      Effect.withConsole(quiet(console))
    )
  )
  return { delivered: yield* Ref.get(delivered), printed: yield* Ref.get(printed) }
})

/**
 * The command line of an invocation as the tree understands it best. It trims `--name=value`, so values are words of
 * their own, but for `--`, at which it would cut. Arguments stand behind `--`, where it takes each word as it is.
 */
const treeArgv = (invocation: Invocation): ReadonlyArray<string> => [
  ...invocation.verb.split(" "),
  ...givenOptions(invocation).flatMap(([name, value]) => {
    if (value === undefined) return [name]
    return value === "--" ? [`${name}=${value}`] : [name, value]
  }),
  ...(argumentsOf(invocation.verb).length === 0 ? [] : ["--", ...givenArguments(invocation)]),
  ...(invocation.workerArgv === undefined ? [] : ["--", ...invocation.workerArgv])
]

/** The tree with what carries out each command. Handlers run in the caller's environment, not in the tree's. */
export const makeCommandTree = <E, R>(handlers: Readonly<Record<Verb, Handler<E, R>>>): CommandTree<E, R> => {
  const read = (argv: ReadonlyArray<string>): Effect.Effect<void, E | UsageError, R> =>
    Effect.flatMap(runTree(argv), ({ delivered }): Effect.Effect<void, E | UsageError, R> => {
      if (Option.isNone(delivered)) return wrong("This is not a whole command.")
      const { verb, workerArgv = [] } = delivered.value
      // What @effect/cli does not know before `--`, a mistyped option too, it takes for the worker's first words.
      const cut = argv.indexOf("--")
      const surplus = workerArgv.length - (cut === -1 ? 0 : argv.length - cut - 1)
      if (surplus > 0) return wrong(`Unexpected ${quoted(workerArgv[0] ?? "")}.`)
      return handlers[verb](delivered.value)
    })
  return {
    read,
    run: (invocation) => read(treeArgv(invocation)),
    completions: (shell) =>
      Effect.map(runTree(["--completions", shell]), ({ printed }) => mendedCompletions(shell, printed))
  }
}
