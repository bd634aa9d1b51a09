import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { CommandLine, Invocation } from "../../Domain/cli/CommandLine.ts"
import type { Verb } from "../../Domain/cli/CommandTable.ts"
import type { UsageError } from "../../Domain/cli/UsageError.ts"
import { codeOf } from "../../Domain/control/ErrorCode.ts"
import type { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import type { Caller } from "../../Layers/daemon/Caller.ts"
import type { NoUserHome } from "../../Layers/daemon/UserHome.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"
import { exitCodeOfCommand } from "./CommandEnd.ts"
import { type CommandError, type CommandNeeds, commands } from "./Commands.ts"

/**
 * True for commands that run without @effect/cli: frequent commands must not wait for it to load. `parse` reads the same
 * as the tree, which CommandTree.test.ts holds.
 */
const runsDirectly = ({ verb }: Invocation): boolean =>
  verb === "config check" || (verb !== "start" && !verb.startsWith("config "))

const tree = Effect.map(
  Effect.promise(() => import("./CommandTree.ts")),
  ({ makeCommandTree }) => makeCommandTree<CommandError, CommandNeeds>(commands)
)

interface Typed {
  readonly argv: ReadonlyArray<string>
  /** The result of `parse`. */
  readonly line: CommandLine | UsageError
  /** The layers that every command may use, beside its output. */
  readonly surroundings: Layer.Layer<AutopilotHome | Caller, NoUserHome>
}

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

const carryOut = Effect.fnUntraced(function* ({ line, surroundings }: Typed) {
  const { out } = yield* CommandOutput
  switch (line._tag) {
    case "UsageError":
      return yield* Effect.fail(line)
    case "Run":
      yield* Effect.provide(namedSettings(line.invocation), surroundings)
      return yield* (
        runsDirectly(line.invocation)
          ? commands[line.invocation.verb](line.invocation)
          : Effect.flatMap(tree, ({ run }) => run(line.invocation))
      ).pipe(Effect.provide(surroundings))
    // main.ts answers these, without loading this program.
    case "Help":
    case "Version":
      return
    case "Completions":
      return yield* Effect.flatMap(
        Effect.promise(() => import("./CompletionScript.ts")),
        ({ completionScript }) => out(completionScript(line.shell))
      )
  }
})

const verbIn = (line: Typed["line"]): Verb | undefined =>
  line._tag === "Run" ? line.invocation.verb : undefined

/** Carries a command line out, reports its failure, and returns the exit code. */
export const commandRun = (typed: Typed) =>
  exitCodeOfCommand(carryOut(typed), { argv: typed.argv, verb: verbIn(typed.line) })
