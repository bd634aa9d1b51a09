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
import { givenArguments, givenOptions, type Invocation } from "../../Domain/cli/CommandLine.ts"
import {
  argumentsOf,
  commandRow,
  type Group,
  groups,
  optionsUnderstood,
  requiredArguments,
  type Verb,
  verbs
} from "../../Domain/cli/CommandTable.ts"
import { groupTexts, textsOf } from "../../Domain/cli/CommandTexts.ts"
import { type OptionKey, type OptionRow, optionTable } from "../../Domain/cli/OptionTable.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import { printable, quoted } from "../../Domain/text/Printable.ts"

type Handler<E, R> = (invocation: Invocation) => Effect.Effect<void, E, R>

/**
 * The command tree of @effect/cli, derived from the command table. `parse` has read the command line before: it is
 * stricter and has better messages.
 */
export interface CommandTree<E, R> {
  /** Runs an invocation from `parse`. */
  readonly run: (invocation: Invocation) => Effect.Effect<void, E | UsageError, R>
  /** Parses and runs a command line with the tree alone. The command comes first, options have their long names. */
  readonly read: (argv: ReadonlyArray<string>) => Effect.Effect<void, E | UsageError, R>
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

const optionsOf = (
  keys: ReadonlyArray<OptionKey>
): Options.Options<Readonly<Record<string, Option.Option<unknown>>>> =>
  // `all` has a defect without any.
  keys.length === 0
    ? Options.map(Options.none, () => ({}))
    : Options.all(Object.fromEntries(keys.map((key) => [key, optionOf(optionTable[key])])))

const argumentOf = (key: ArgumentKey, isRequired: boolean): Args.Args<unknown> => {
  const { _tag, placeholder, summary, value } = argumentRow(key)
  const decoded = Args.text({ name: placeholder }).pipe(
    Args.withDescription(summary),
    Args.mapEffect((given) => {
      const decoded = value.decode(given)
      return decoded === undefined
        ? Effect.fail(HelpDoc.p(`${placeholder} expects ${value.expects}.`))
        : Effect.succeed(decoded)
    })
  )
  if (_tag === "Several") return isRequired ? Args.atLeast(decoded, 1) : Args.repeated(decoded)
  return isRequired ? decoded : Args.map(Args.optional(decoded), Option.getOrUndefined)
}

const argumentsFor = (verb: Verb) =>
  Object.fromEntries(
    argumentsOf(verb).map((key) => [key, argumentOf(key, requiredArguments(verb).includes(key))])
  )

/** The arguments without those that are absent. */
const presentIn = (args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(args).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)
    )
  )

/** Hands the invocation of a leaf to code outside the tree. */
type Deliver = (invocation: Invocation) => Effect.Effect<void>

const leaf = (verb: Verb, deliver: Deliver) => {
  const row = commandRow(verb)
  return Command.make(
    verb.split(" ").slice(-1).join(""),
    {
      args: argumentsFor(verb),
      options: optionsOf(optionsUnderstood(verb)),
      workerArgv: row.takesWorker
        ? Args.text({ name: "worker" }).pipe(Args.repeated)
        : Args.map(Args.none, (): Array<string> => [])
    },
    ({ args, options, workerArgv }) =>
      deliver({
        verb,
        // The decoder of each row made its value, and the types are derived from the rows.
        args: presentIn(args),
        options: Object.fromEntries(
          Object.entries(options).flatMap(([key, value]) =>
            Option.isSome(value) ? [[key, value.value]] : []
          )
        ),
        workerArgv: workerArgv.length === 0 ? undefined : workerArgv
      })
  ).pipe(Command.withDescription(textsOf(verb).summary))
}

const nonEmpty = <A>(commands: ReadonlyArray<A>): Arr.NonEmptyReadonlyArray<A> => {
  if (!Arr.isNonEmptyReadonlyArray(commands)) throw new Error("A group in the command table has no commands.")
  return commands
}

const group = (name: Group, deliver: Deliver) =>
  Command.make(name).pipe(
    Command.withDescription(groupTexts[name]),
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
 * The environment that @effect/cli needs. The command that uses a path checks it; with `exists` always false, the tree
 * accepts every path. No terminal: autopilotd never prompts.
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
      readInput: Effect.dieMessage("autopilotd never prompts"),
      readLine: Effect.dieMessage("autopilotd never prompts"),
      display: () => Effect.void
    })
  ),
  CliConfig.layer({ isCaseSensitive: true, autoCorrectLimit: 0, showBuiltIns: false })
)

const wrong = (problem: string): UsageError => new UsageError({ problem, help: "autopilotd --help" })

/** The message of an error of @effect/cli without its colours. */
const usageError = (error: ValidationError.ValidationError): UsageError => {
  const plain = HelpDoc.toAnsiText(error.error).replace(/\p{Cc}\[[\d;]*m/gu, "")
  return wrong(printable(plain.trim(), 400))
}

/**
 * Runs the tree on a command line and returns the delivered invocation. @effect/cli prints its
 * errors and then fails with them: its stderr is dropped, so that the user sees each error once.
 */
const runTree = Effect.fnUntraced(function* (argv: ReadonlyArray<string>) {
  const delivered = yield* Ref.make(Option.none<Invocation>())
  const tree = Command.run(
    root((invocation) => Ref.set(delivered, Option.some(invocation))),
    // main answers --version before it loads the tree.
    { name: "autopilotd", version: "" }
  )
  const quiet = (console: Console.Console): Console.Console => ({
    ...console,
    error: () => Effect.void,
    log: () => Effect.void
  })
  yield* Console.consoleWith((console) =>
    tree(["node", "autopilotd", ...argv]).pipe(
      Effect.provide(environment),
      Effect.mapError(usageError),
      Effect.withConsole(quiet(console))
    )
  )
  return yield* Ref.get(delivered)
})

/**
 * The command line of an invocation in the form that the tree reads without loss. @effect/cli trims `--name=value`, so
 * values are separate words, except `--`, at which it would cut. After `--` it takes each word unchanged.
 */
const treeArgv = (invocation: Invocation): ReadonlyArray<string> => [
  ...invocation.verb.split(" "),
  ...givenOptions(invocation).flatMap(([name, value]) => {
    if (value === undefined) return [name]
    return value === "--" ? [`${name}=${value}`] : [name, value]
  }),
  ...(givenArguments(invocation).length === 0 ? [] : ["--", ...givenArguments(invocation)]),
  ...(invocation.workerArgv === undefined ? [] : ["--", ...invocation.workerArgv])
]

/** The command tree with its handlers, which run in the environment of the caller, not of the tree. */
export const makeCommandTree = <E, R>(handlers: Readonly<Record<Verb, Handler<E, R>>>): CommandTree<E, R> => {
  const read = (argv: ReadonlyArray<string>): Effect.Effect<void, E | UsageError, R> =>
    Effect.flatMap(runTree(argv), (delivered): Effect.Effect<void, E | UsageError, R> => {
      if (Option.isNone(delivered)) return Effect.fail(wrong("The command is incomplete."))
      const { verb, workerArgv = [] } = delivered.value
      // @effect/cli takes unknown words before `--`, even mistyped options, for the worker's first words.
      const cut = argv.indexOf("--")
      const surplus = workerArgv.length - (cut === -1 ? 0 : argv.length - cut - 1)
      if (surplus > 0) return Effect.fail(wrong(`Unexpected ${quoted(workerArgv[0] ?? "")}.`))
      return handlers[verb](delivered.value)
    })
  return {
    read,
    run: (invocation) => read(treeArgv(invocation))
  }
}
