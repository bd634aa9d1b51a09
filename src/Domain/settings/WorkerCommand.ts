import * as Schema from "effect/Schema"
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

export type Argv = readonly [string, ...ReadonlyArray<string>]

/** The settings that Cargo and Binary workers receive as arguments. */
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

/** The program and arguments of a worker command. */
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
