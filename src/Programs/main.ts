import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type CommandLine, type Invocation, parse } from "../Domain/cli/CommandLine.ts"
import type { UsageError } from "../Domain/cli/UsageError.ts"
import * as Signals from "../Layers/daemon/Signals.ts"
import * as CommandOutput from "../Layers/output/CommandOutput.ts"
import { type CommandError, type CommandNeeds, commands, Surroundings } from "./cli/Commands.ts"
import { answerOf, codeOf, exitCodes, sentenceOf } from "./cli/ExitCode.ts"
import { version } from "./Version.ts"

const isForegroundStart = ({ options, verb }: Invocation): boolean => verb === "start" && !options.detach

/**
 * The daemon must not carry @effect/cli for the night, nor may commands that are run by the minute wait for it; what
 * the tree would read is what `parse` has read, and a test holds the two together. All else goes through the tree.
 */
const isPlain = (invocation: Invocation): boolean =>
  invocation.verb === "start" ? isForegroundStart(invocation) : !invocation.verb.startsWith("config ")

const tree = Effect.map(
  Effect.promise(() => import("./cli/CommandTree.ts")),
  ({ makeCommandTree }) => makeCommandTree<CommandError, CommandNeeds>(commands)
)

const carryOut = Effect.fnUntraced(function* (line: Either.Either<CommandLine, UsageError>) {
  const { out } = yield* CommandOutput.CommandOutput
  const asked = yield* line
  switch (asked._tag) {
    case "Run":
      return yield* isPlain(asked.invocation)
        ? commands[asked.invocation.verb](asked.invocation)
        : Effect.flatMap(tree, ({ run }) => run(asked.invocation))
    case "Help": {
      const { helpText } = yield* Effect.promise(() => import("../Domain/cli/Help.ts"))
      return yield* out(helpText(asked.topic))
    }
    case "Version":
      return yield* out(`autopilotd ${version}\n`)
    case "Completions":
      return yield* out(yield* Effect.flatMap(tree, ({ completions }) => completions(asked.shell)))
  }
})

const argv = process.argv.slice(2)
const line = parse(argv)

/** Also where the rest of the command line is wrong: whoever wrote `--json` reads the answer with a program. */
const wantsJson = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json")

/** A person is told on standard error, a program in the one line of JSON that it reads; of a bug both. */
const tell = Effect.fnUntraced(function* (cause: Cause.Cause<CommandError | UsageError>) {
  const { err, out } = yield* CommandOutput.CommandOutput
  if (wantsJson) yield* out(answerOf(cause))
  if (!wantsJson || Option.isNone(Cause.failureOption(cause))) yield* err(sentenceOf(cause))
  return codeOf(cause)
})

const isDaemon = Either.isRight(line) && line.right._tag === "Run" && isForegroundStart(line.right.invocation)

const program = carryOut(line).pipe(
  // The daemon's listeners exist before anything of it runs, for a signal without one would orphan the worker.
  Effect.provide(Layer.merge(Surroundings, isDaemon ? Signals.listenForSignals() : Signals.layerNone)),
  Effect.matchCauseEffect({
    onFailure: tell,
    onSuccess: () => Effect.succeed<number>(exitCodes.done)
  }),
  Effect.provide(CommandOutput.layer)
)

if (isDaemon) {
  // runMain takes its listeners away at the first signal; the daemon's stay until its last breath.
  Effect.runFork(program).addObserver((exit) => process.exit(Exit.getOrElse(exit, () => exitCodes.failed)))
} else {
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    // A command has nothing to wait for once it is done, whatever a library may still hold open.
    teardown: (exit) =>
      process.exit(
        Exit.isSuccess(exit)
          ? Number(exit.value)
          : Exit.isInterrupted(exit)
            ? exitCodes.interrupted
            : exitCodes.failed
      )
  })
}
