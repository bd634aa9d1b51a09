import * as Struct from "effect/Struct"
import {
  amount,
  count,
  type OptionValue,
  oneOf,
  pastTime,
  project,
  text,
  wholeNumber
} from "./OptionValue.ts"

interface Named {
  /** Without the dashes. */
  readonly long: string
  /** One letter, without the dash. */
  readonly short?: string
  /** What it does, in a few words; ends without a full stop. */
  readonly summary: string
}

/** An option that is there or not. */
interface Flag extends Named {
  readonly _tag: "Flag"
}

/** An option with a value. */
interface Valued<A> extends Named {
  readonly _tag: "Valued"
  readonly placeholder: string
  readonly value: OptionValue<A>
  /** What help says applies without it. Never put into an invocation: the settings stand in between. */
  readonly fallback?: string
}

export type OptionRow = Flag | Valued<unknown>

/** The value an option has in an invocation: a flag that is given is `true`, one that is not is absent. */
type ValueOf<Row> = Row extends Valued<infer A> ? A : true

const flag = (row: Named): Flag => ({ _tag: "Flag", ...row })
const valued = <A>(row: Omit<Valued<A>, "_tag">): Valued<A> => ({ _tag: "Valued", ...row })

/** The options of commands, in the order in which help and canonical command lines show them. */
export const optionTable = {
  workdir: valued({
    long: "workdir",
    short: "w",
    placeholder: "DIR",
    value: text("a folder", "directory"),
    summary: "Folder the worker runs in",
    fallback: "."
  }),
  model: valued({
    long: "model",
    placeholder: "NAME",
    value: text("the name of a model"),
    summary: "Model the agent works with",
    fallback: "sonnet"
  }),
  maxBudget: valued({
    long: "max-budget",
    placeholder: "USD",
    value: amount,
    summary: "Budget the agent may spend, in dollars",
    fallback: "300"
  }),
  maxTurns: valued({
    long: "max-turns",
    placeholder: "N",
    value: wholeNumber,
    summary: "Turns the agent may take",
    fallback: "99999"
  }),
  detach: flag({ long: "detach", summary: "Run in the background; return once the daemon answers" }),
  keepState: flag({
    long: "keep-state",
    summary: "Go on as before: a stopped or failed worker stays so, a wait is waited out"
  }),
  keep: flag({ long: "keep", summary: "Let the worker of the project before go on" }),
  restart: flag({ long: "restart", summary: "Restart the workers that need it for the new settings" }),
  dryRun: flag({ long: "dry-run", summary: "Only say what would change" }),
  print: flag({ long: "print", summary: "Only show what would be written and run" }),
  noWait: flag({
    long: "no-wait",
    summary: "Return as soon as the daemon has accepted, not when it is done"
  }),
  follow: flag({ long: "follow", short: "f", summary: "Go on with what comes, until Ctrl-C" }),
  lines: valued({
    long: "lines",
    short: "n",
    placeholder: "N",
    value: count,
    summary: "Show only the last N"
  }),
  since: valued({
    long: "since",
    placeholder: "TIME",
    value: pastTime,
    summary: "Show only what came after: 2h, 3d, 14:30, yesterday, 2026-11-20T14:30"
  }),
  grep: valued({
    long: "grep",
    placeholder: "TEXT",
    value: text("a text"),
    summary: "Show only lines that contain TEXT"
  }),
  stderr: flag({ long: "stderr", summary: "Show only standard error" }),
  raw: flag({ long: "raw", summary: "Show the lines as they are" }),
  config: valued({
    long: "config",
    short: "c",
    placeholder: "FILE",
    value: text("a file", "file"),
    summary: "Settings file",
    fallback: "~/.autopilot/daemon.toml"
  }),
  project: valued({
    long: "project",
    short: "p",
    placeholder: "NAME",
    value: project,
    summary: "Project the command is about"
  }),
  json: flag({ long: "json", summary: "Print the answer as one JSON object" })
}

export type OptionKey = keyof typeof optionTable

/** The options of one command line. One that is not given is absent, whatever its default. */
export type OptionValues = { readonly [K in OptionKey]?: ValueOf<(typeof optionTable)[K]> }

/** The options that are a question of their own instead of a part of a command. */
export const questionTable = {
  help: flag({ long: "help", short: "h", summary: "Show help, of a command if one is named" }),
  version: flag({ long: "version", short: "V", summary: "Show the version" }),
  completions: valued({
    long: "completions",
    placeholder: "SHELL",
    value: oneOf(["bash", "zsh", "fish", "sh"]),
    summary: "Print a completion script: bash, zsh, fish or sh"
  })
}

export type QuestionKey = keyof typeof questionTable
export type QuestionValues = { readonly [K in QuestionKey]?: ValueOf<(typeof questionTable)[K]> }

/** All option keys of the commands, in the order of the table. */
export const optionKeys: ReadonlyArray<OptionKey> = Struct.keys(optionTable)
