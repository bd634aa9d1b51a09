import * as Schema from "effect/Schema"
import { NulFree, noted, optionalSetting, setting, Text } from "./Setting.ts"

const tagged = <const T extends string>(type: T) =>
  Schema.propertySignature(
    noted(Schema.Literal(type), {
      description:
        "Kind of worker: Claude Code (Claude), any program (Command), an autopilot executable (Binary) or package (Cargo).",
      expects: '"Claude", "Command", "Binary" or "Cargo"',
      unset:
        "AUTOPILOT_WORKER_BINARY, else the executable ~/.autopilot/bin/autopilot, else Cargo if working_dir has a Cargo.toml"
    })
  ).pipe(Schema.fromKey("type"))

const args = setting("args", Schema.Array(NulFree), [], {
  description: "Arguments after those that the daemon passes (Claude, Binary and Cargo).",
  expects: "an array of texts"
})

/** `cargo run` of the autopilot package, in working_dir or with a manifest path. */
const Cargo = Schema.Struct({
  _tag: tagged("Cargo"),
  manifestPath: optionalSetting("manifest_path", Text, {
    description: "Cargo.toml of the autopilot package (Cargo).",
    expects: "a path",
    unset: "found by cargo from working_dir"
  }),
  args
})

const Binary = Schema.Struct({
  _tag: tagged("Binary"),
  path: noted(Text, { description: "Path of the executable (Binary).", expects: "a path", unset: "none" }),
  args
})

const Command = Schema.Struct({
  _tag: tagged("Command"),
  argv: noted(Schema.Tuple([Text], NulFree), {
    description: "Program and its arguments, run unchanged (Command).",
    expects: "an array of texts that begins with the name of a program",
    unset: "none"
  })
})

/** Claude Code without a terminal. The daemon adds its session, and passes model, budget and turns on. */
const Claude = Schema.Struct({
  _tag: tagged("Claude"),
  prompt: optionalSetting("prompt", Text, {
    description: "What the agent is to do (Claude). Either this or prompt_file.",
    expects: "a text that is not empty",
    unset: "none"
  }),
  promptFile: optionalSetting("prompt_file", Text, {
    description: "File with the prompt, read before each new session (Claude). Relative to working_dir.",
    expects: "a path",
    unset: "none"
  }),
  binary: setting("binary", Text, "claude", {
    description: "Program of Claude Code, a path or a name on PATH (Claude).",
    expects: "a path or the name of a program"
  }),
  args
})

/** The program of the worker. In the file its tag is the key `type`. */
export const WorkerCommand = Schema.Union(Cargo, Binary, Command, Claude).annotations({
  description: "Program of the worker."
})
export type WorkerCommand = typeof WorkerCommand.Type

export type Argv = readonly [string, ...ReadonlyArray<string>]

/** The settings that Claude, Cargo and Binary workers receive as arguments. */
interface WorkerArguments {
  readonly model: string
  /** US dollars. */
  readonly maxBudget: number
  readonly maxTurns: number
  readonly project?: string
}

/** A number without an exponent, which the worker's parser may not support. */
const plainNumber = (amount: number): string => {
  const shortest = String(amount)
  if (!shortest.includes("e")) return shortest
  return Number.isInteger(amount) ? BigInt(amount).toString() : amount.toFixed(20).replace(/\.?0+$/, "")
}

/**
 * The tools with which an unattended agent puts off its work: `claude -p` then stays silent for as long as the agent
 * likes, and a wake-up of a process that ends never comes.
 */
const putOff = "ScheduleWakeup,CronCreate"

const claudeArgv = (
  { args, binary }: Extract<WorkerCommand, { _tag: "Claude" }>,
  { maxBudget, maxTurns, model }: WorkerArguments
): Argv => [
  binary,
  "-p",
  // The prompt comes on standard input, where the daemon also asks for the cost.
  "--input-format",
  "stream-json",
  "--output-format",
  "stream-json",
  "--verbose",
  // An option with several values ends at the next option.
  "--disallowedTools",
  putOff,
  "--model",
  model,
  "--max-budget-usd",
  plainNumber(maxBudget),
  "--max-turns",
  plainNumber(maxTurns),
  ...args
]

/** The program and arguments of a worker command, for Claude those of a first start. */
export const argvOf = (command: WorkerCommand, given: WorkerArguments): Argv => {
  const run = [
    "run",
    "--full-auto",
    "--model",
    given.model,
    "--max-budget",
    plainNumber(given.maxBudget),
    "--max-turns",
    plainNumber(given.maxTurns),
    ...(given.project === undefined ? [] : ["--project", given.project])
  ]
  switch (command._tag) {
    case "Cargo": {
      const manifest = command.manifestPath === undefined ? [] : ["--manifest-path", command.manifestPath]
      return [
        "cargo",
        "run",
        ...manifest,
        "-p",
        "autopilot",
        "--bin",
        "autopilot",
        "--",
        ...run,
        ...command.args
      ]
    }
    case "Binary":
      return [command.path, ...run, ...command.args]
    case "Command":
      return command.argv
    case "Claude":
      return claudeArgv(command, given)
  }
}

/** The file that holds the prompt of a worker. */
export const promptFileOf = (command: WorkerCommand): string | undefined =>
  command._tag === "Claude" && command.prompt === undefined ? command.promptFile : undefined
