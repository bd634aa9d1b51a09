import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { aligned } from "../text/Table.ts"
import { NulFree, noted, optionalSetting, setting, Text } from "./Setting.ts"

const tagged = <const T extends string>(type: T) =>
  Schema.propertySignature(
    noted(Schema.Literal(type), {
      description:
        "Kind of worker: an autopilot package (Cargo), an autopilot executable (Binary) or any program (Command).",
      expects: '"Cargo", "Binary" or "Command"',
      unset:
        "AUTOPILOT_WORKER_BINARY, else the executable ~/.autopilot/bin/autopilot, else Cargo if working_dir has a Cargo.toml"
    })
  ).pipe(Schema.fromKey("type"))

const args = setting("args", Schema.Array(NulFree), [], {
  description: "Arguments after those that the daemon passes (Cargo and Binary).",
  expects: "an array of texts"
})

/** `cargo run` of the autopilot package, in working_dir or of the manifest that is named. */
const Cargo = Schema.Struct({
  _tag: tagged("Cargo"),
  manifestPath: optionalSetting("manifest_path", Text, {
    description: "Cargo.toml of the autopilot package (Cargo).",
    expects: "a path",
    unset: "found by cargo from working_dir"
  }),
  args
})

/** An autopilot executable. */
const Binary = Schema.Struct({
  _tag: tagged("Binary"),
  path: noted(Text, { description: "Path of the executable (Binary).", expects: "a path", unset: "none" }),
  args
})

/** Any command, run as it stands. */
const Command = Schema.Struct({
  _tag: tagged("Command"),
  argv: noted(
    Schema.NonEmptyArray(NulFree).pipe(
      Schema.filter(([program]) => program.length > 0 || { path: [0], message: "is empty" })
    ),
    {
      description: "Program and its arguments, run unchanged (Command).",
      expects: "an array of texts that begins with the name of a program",
      unset: "none"
    }
  )
})

/** The program of the worker. In the file its tag is the key `type`. */
export const WorkerCommand = Schema.Union(Cargo, Binary, Command).annotations({
  description: "Program of the worker."
})
export type WorkerCommand = typeof WorkerCommand.Type

/** A program and its arguments. */
export type Argv = readonly [string, ...ReadonlyArray<string>]

/** The settings that Cargo and Binary workers get as arguments. */
interface WorkerArguments {
  readonly model: string
  /** US dollars. */
  readonly maxBudget: number
  readonly maxTurns: number
  readonly project?: string
}

/** A number without exponent, because the worker's own parser may know none: `300`, `12.5`. */
const plainNumber = (amount: number): string => {
  const shortest = String(amount)
  if (!shortest.includes("e")) return shortest
  return Number.isInteger(amount) ? BigInt(amount).toString() : amount.toFixed(20).replace(/\.?0+$/, "")
}

/** What is executed for a worker command. */
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
  }
}

/** What is known about the machine when no worker command is set. */
export interface CommandFacts {
  /** AUTOPILOT_WORKER_BINARY, if it is set. */
  readonly environmentBinary: string | undefined
  /** Where a person may put the worker: `~/.autopilot/bin/autopilot`. */
  readonly homeBinary: string
  readonly homeBinaryExists: boolean
  readonly workingDir: string
  readonly workingDirHasCargoToml: boolean
}

/** Nothing says what to supervise. */
export class NoWorkerCommand extends Data.TaggedError("NoWorkerCommand")<{
  readonly homeBinary: string
  readonly workingDir: string
}> {
  override get message(): string {
    const choices = [
      ["autopilotd start -- CMD ARGS", 'any command, for example: autopilotd start -- claude -p "..."'],
      ["[worker_command] in daemon.toml", 'type = "Cargo", "Binary" or "Command"'],
      ["AUTOPILOT_WORKER_BINARY", "an environment variable: the path of an autopilot executable"],
      [this.homeBinary, "an autopilot executable put there"],
      [`${this.workingDir}/Cargo.toml`, "its autopilot package is run"]
    ] as const
    return [
      "There is no worker to start: no command was given, and none is set. Choose one of:",
      ...aligned(choices).map((line) => `  ${line}`)
    ].join("\n")
  }
}

/** A worker command, and in words what it was taken from. */
export interface FoundWorker {
  readonly command: WorkerCommand
  readonly source: string
}

/** The worker that is started when the settings name none: the first that is there. */
export const findWorker = (facts: CommandFacts): Either.Either<FoundWorker, NoWorkerCommand> => {
  if (facts.environmentBinary !== undefined)
    return Either.right({
      command: { _tag: "Binary", path: facts.environmentBinary, args: [] },
      source: "environment AUTOPILOT_WORKER_BINARY"
    })
  if (facts.homeBinaryExists)
    return Either.right({
      command: { _tag: "Binary", path: facts.homeBinary, args: [] },
      source: `default: ${facts.homeBinary} exists`
    })
  if (facts.workingDirHasCargoToml)
    return Either.right({
      command: { _tag: "Cargo", args: [] },
      source: `default: ${facts.workingDir} has a Cargo.toml`
    })
  return Either.left(new NoWorkerCommand({ homeBinary: facts.homeBinary, workingDir: facts.workingDir }))
}
