import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { CommandLine, Invocation } from "../../Domain/cli/CommandLine.ts"
import type { Verb } from "../../Domain/cli/CommandTable.ts"
import { exitCodes } from "../../Domain/cli/ExitCodes.ts"
import { helpText } from "../../Domain/cli/Help.ts"
import type { UsageError } from "../../Domain/cli/UsageError.ts"
import { codeOf } from "../../Domain/control/ErrorCode.ts"
import type { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import type { Caller } from "../../Layers/daemon/Caller.ts"
import type { NoUserHome } from "../../Layers/daemon/UserHome.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"
import { type CommandError, type CommandNeeds, commands } from "./Commands.ts"
import { answerOf, exitCodeIn, sentenceOf } from "./ExitCode.ts"

export const isForegroundStart = ({ options, verb }: Invocation): boolean =>
  verb === "start" && !options.detach

/**
 * True for commands that run without @effect/cli: the daemon must not keep it in memory, and frequent commands must not
 * wait for it to load. `parse` reads the same as the tree, which CommandTree.test.ts holds.
 */
const runsDirectly = (invocation: Invocation): boolean =>
  invocation.verb === "start" ? isForegroundStart(invocation) : !invocation.verb.startsWith("config ")

const tree = Effect.map(
  Effect.promise(() => import("./CommandTree.ts")),
  ({ makeCommandTree }) => makeCommandTree<CommandError, CommandNeeds>(commands)
)

interface Typed {
  readonly argv: ReadonlyArray<string>
  /** The result of `parse`. */
  readonly line: Either.Either<CommandLine, UsageError>
  /** The layers that every command may use, beside its output. */
  readonly surroundings: Layer.Layer<AutopilotHome | Caller, NoUserHome>
}

/** Whether `autopilotd` alone has nothing to start: then it shows its help, as a user without settings expects. */
const startsNothing = Effect.fnUntraced(function* (invocation: Invocation) {
  const { startsNothing: isIdle } = yield* Effect.promise(() => import("../daemon/Idle.ts"))
  return yield* isIdle(invocation)
})

/** The commands that say themselves what is wrong with the file, or write a new one. */
const readsNamed = new Set<Verb>([
  "start",
  "config check",
  "config set",
  "config unset",
  "config edit",
  "config show"
])

const namedSettings = Effect.fnUntraced(function* ({ options: { config }, verb }: Invocation) {
  if (config === undefined || readsNamed.has(verb)) return
  const { checkNamed } = yield* Effect.promise(() => import("../../Layers/settings/NamedSettings.ts"))
  yield* Effect.mapError(
    checkNamed(config),
    (error) => new Refused({ reason: error.message, code: codeOf(error) })
  )
})

const carryOut = Effect.fnUntraced(function* ({ argv, line, surroundings }: Typed) {
  const { out } = yield* CommandOutput
  const parsed = yield* line
  switch (parsed._tag) {
    case "Run":
      if (argv.length === 0 && (yield* startsNothing(parsed.invocation).pipe(Effect.provide(surroundings))))
        return yield* out(helpText())
      yield* Effect.provide(namedSettings(parsed.invocation), surroundings)
      return yield* (
        runsDirectly(parsed.invocation)
          ? commands[parsed.invocation.verb](parsed.invocation)
          : Effect.flatMap(tree, ({ run }) => run(parsed.invocation))
      ).pipe(Effect.provide(surroundings))
    // main.ts answers these, without loading this program.
    case "Help":
    case "Version":
      return
    case "Completions":
      return yield* Effect.flatMap(
        Effect.promise(() => import("./CompletionScript.ts")),
        ({ completionScript }) => out(completionScript(parsed.shell))
      )
  }
})

const verbIn = (line: Typed["line"]): Verb | undefined =>
  Either.isRight(line) && line.right._tag === "Run" ? line.right.invocation.verb : undefined

/** Prints a failure on standard error, or as JSON for a program; a defect in both places. */
const reportFailure = Effect.fnUntraced(function* (
  { argv, line }: Typed,
  cause: Cause.Cause<CommandError | UsageError>
) {
  const { err } = yield* CommandOutput
  // Holds for an invalid command line too: a program reads the answer to `--json`.
  const wantsJson = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json")
  const answer = wantsJson ? answerOf(cause) : undefined
  if (answer !== undefined) {
    const { sayJson } = yield* Effect.promise(() => import("../Answer.ts"))
    yield* sayJson(verbIn(line), answer)
  }
  if (!wantsJson || Option.isNone(Cause.failureOption(cause))) yield* err(sentenceOf(cause))
  return exitCodeIn(cause)
})

/** Carries a command line out, reports its failure, and returns the exit code. */
export const commandRun = (typed: Typed) =>
  Effect.matchCauseEffect(carryOut(typed), {
    onFailure: (cause) => reportFailure(typed, cause),
    onSuccess: () => Effect.succeed<number>(exitCodes.done)
  })
