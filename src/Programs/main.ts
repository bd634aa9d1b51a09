// oxlint-disable-next-line import/no-unassigned-import -- it must run before every other module
import "../Layers/daemon/DebuggerSignal.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { type CommandLine, type Invocation, parse } from "../Domain/cli/CommandLine.ts"
import { exitCodes } from "../Domain/cli/Manual.ts"
import type { UsageError } from "../Domain/cli/UsageError.ts"
import { closeInheritedDescriptors } from "../Layers/daemon/InheritedDescriptors.ts"
import { exitProcess } from "../Layers/daemon/ProcessExit.ts"
import * as Signals from "../Layers/daemon/Signals.ts"
import * as CommandOutput from "../Layers/output/CommandOutput.ts"
import { type CommandError, type CommandNeeds, commands, Surroundings } from "./cli/Commands.ts"
import { answerOf, codeOf, sentenceOf } from "./cli/ExitCode.ts"
import { version } from "./Version.ts"

const isForegroundStart = ({ options, verb }: Invocation): boolean => verb === "start" && !options.detach

/**
 * True for commands that run without @effect/cli: the daemon must not keep it in memory, and frequent commands must not
 * wait for it to load. `parse` reads the same as the tree, which CommandTree.test.ts holds.
 */
const runsDirectly = (invocation: Invocation): boolean =>
  invocation.verb === "start" ? isForegroundStart(invocation) : !invocation.verb.startsWith("config ")

const tree = Effect.map(
  Effect.promise(() => import("./cli/CommandTree.ts")),
  ({ makeCommandTree }) => makeCommandTree<CommandError, CommandNeeds>(commands)
)

const carryOut = Effect.fnUntraced(function* (line: Either.Either<CommandLine, UsageError>) {
  const { out } = yield* CommandOutput.CommandOutput
  const parsed = yield* line
  switch (parsed._tag) {
    case "Run":
      return yield* (
        runsDirectly(parsed.invocation)
          ? commands[parsed.invocation.verb](parsed.invocation)
          : Effect.flatMap(tree, ({ run }) => run(parsed.invocation))
      ).pipe(Effect.provide(Surroundings))
    case "Help": {
      const { helpText } = yield* Effect.promise(() => import("../Domain/cli/Help.ts"))
      return yield* out(helpText(parsed.topic))
    }
    case "Version":
      return yield* out(`autopilotd ${version}\n`)
    case "Completions":
      return yield* out(yield* Effect.flatMap(tree, ({ completions }) => completions(parsed.shell)))
  }
})

const argv = process.argv.slice(2)
const line = parse(argv)

/** Holds for an invalid command line too: a program reads the answer to `--json`. */
const wantsJson = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json")

/** Prints a failure on standard error, or as JSON for a program; a defect in both places. */
const reportFailure = Effect.fnUntraced(function* (cause: Cause.Cause<CommandError | UsageError>) {
  const { err, out } = yield* CommandOutput.CommandOutput
  if (wantsJson) yield* out(answerOf(cause))
  if (!wantsJson || Option.isNone(Cause.failureOption(cause))) yield* err(sentenceOf(cause))
  return codeOf(cause)
})

const isDaemon = Either.isRight(line) && line.right._tag === "Run" && isForegroundStart(line.right.invocation)

if (isDaemon) closeInheritedDescriptors()

const program = carryOut(line).pipe(
  // A signal without a listener would end the daemon and orphan its worker, so the listeners come first.
  Effect.provide(isDaemon ? Signals.listenForSignals() : Signals.layerNone),
  Effect.matchCauseEffect({
    onFailure: reportFailure,
    onSuccess: () => Effect.succeed<number>(exitCodes.done)
  }),
  Effect.provide(CommandOutput.layer)
)

if (isDaemon) {
  // runMain removes its listeners at the first signal; the daemon needs them until it exits.
  Effect.runFork(program).addObserver((exit) => exitProcess(Exit.getOrElse(exit, () => exitCodes.failed)))
} else {
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    // Exits even if a library still holds a handle open.
    teardown: (exit) =>
      exitProcess(
        Exit.isSuccess(exit)
          ? Number(exit.value)
          : Exit.isInterrupted(exit)
            ? exitCodes.interrupted
            : exitCodes.failed
      )
  })
}
