import * as Struct from "effect/Struct"
import {
  amount,
  count,
  duration,
  host,
  type OptionValue,
  oneOf,
  pastTime,
  pattern,
  port,
  project,
  text,
  wholeNumber
} from "./OptionValue.ts"

interface Named {
  /** Without the dashes. */
  readonly long: string
  /** One letter, without the dash. */
  readonly short?: string
  /** Another name that users know from other tools, without the dashes. */
  readonly alias?: string
  /** A few words without a full stop. */
  readonly summary: string
}

/** An option without a value. */
interface Flag extends Named {
  readonly _tag: "Flag"
}

/** An option with a value. */
interface Valued<A> extends Named {
  readonly _tag: "Valued"
  readonly placeholder: string
  readonly value: OptionValue<A>
  /** The default that help shows. An invocation never carries it, because the settings rank between both. */
  readonly fallback?: string
}

export type OptionRow = Flag | Valued<unknown>

/** The value of an option in an invocation: `true` for a flag. An option that is not given is absent. */
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
    summary: "Working directory of the worker",
    fallback: "."
  }),
  model: valued({
    long: "model",
    placeholder: "NAME",
    value: text("the name of a model"),
    summary: "Model of the agent",
    fallback: "sonnet"
  }),
  maxBudget: valued({
    long: "max-budget",
    placeholder: "USD",
    value: amount,
    summary: "Spending limit of the agent in US$",
    fallback: "300"
  }),
  maxTurns: valued({
    long: "max-turns",
    placeholder: "N",
    value: wholeNumber,
    summary: "Maximum turns of the agent",
    fallback: "99999"
  }),
  detach: flag({ long: "detach", short: "d", summary: "Run in the background; return once the worker runs" }),
  keepState: flag({
    long: "keep-state",
    summary: "Keep stopped, failed and waiting workers as they are"
  }),
  exitWhenFinished: flag({
    long: "exit-when-finished",
    summary: "Exit once every worker has ended for good; the exit code says how"
  }),
  terminationLog: valued({
    long: "termination-log",
    placeholder: "FILE",
    value: text("a file", "file"),
    summary: "Write into FILE why workers fail, and how the daemon ended",
    fallback: "/dev/termination-log in Kubernetes"
  }),
  save: flag({ long: "save", summary: "Keep the project in the settings file, too" }),
  keep: flag({ long: "keep", summary: "Keep the worker of the other project running" }),
  yes: flag({ long: "yes", short: "y", summary: "Stop a running worker without asking" }),
  restart: flag({ long: "restart", summary: "Restart the workers whose new settings need it" }),
  dryRun: flag({ long: "dry-run", summary: "Report the changes without making them" }),
  gui: flag({ long: "gui", summary: "Serve the web panel as a service of its own" }),
  print: flag({ long: "print", summary: "Show what would be written and run; do nothing" }),
  noWait: flag({
    long: "no-wait",
    summary: "Return once accepted, before it is complete"
  }),
  follow: flag({ long: "follow", short: "f", summary: "Keep printing new output until Ctrl-C" }),
  lines: valued({
    long: "lines",
    short: "n",
    alias: "tail",
    placeholder: "N",
    value: count,
    summary: "Show only the last N lines or events"
  }),
  since: valued({
    long: "since",
    placeholder: "TIME",
    value: pastTime,
    summary: 'Show only what is newer than TIME: 2h, "10 min ago", 14:30, yesterday, 2026-11-20T14:30'
  }),
  until: valued({
    long: "until",
    placeholder: "TIME",
    value: pastTime,
    summary: "Show only what is not newer than TIME"
  }),
  timeout: valued({
    long: "timeout",
    placeholder: "TIME",
    value: duration,
    summary: "Give up after TIME, such as 90s, 30m or 8h"
  }),
  port: valued({
    long: "port",
    placeholder: "N",
    value: port,
    summary: "Port of 127.0.0.1 to listen on; 0 for a free one",
    fallback: "7420"
  }),
  metricsPort: valued({
    long: "metrics-port",
    placeholder: "N",
    value: port,
    summary: "With --host: serve the metrics of that machine on this port of 127.0.0.1"
  }),
  open: flag({ long: "open", summary: "Open the panel in the browser" }),
  startDaemon: flag({ long: "start", summary: "Start the daemon if none is running" }),
  grep: valued({
    long: "grep",
    placeholder: "PATTERN",
    value: pattern,
    summary: "Show only lines that match PATTERN, a regular expression"
  }),
  stderr: flag({ long: "stderr", summary: "Show only standard error" }),
  daemon: flag({ long: "daemon", summary: "Show the daemon's own lines too" }),
  text: flag({ long: "text", summary: "Show an agent's stream in words, also in a pipe" }),
  raw: flag({ long: "raw", summary: "Show the output unchanged" }),
  openMetrics: flag({ long: "openmetrics", summary: "Write the format of OpenMetrics 1.0.0" }),
  output: valued({
    long: "output",
    placeholder: "FILE",
    value: text("a file", "file"),
    summary: "Write into FILE, whole or not at all, instead of standard output"
  }),
  hosts: valued({
    long: "hosts",
    placeholder: "A,B",
    value: text("names of hosts"),
    summary: "Only these hosts, of hosts.toml or as ssh knows them; local is this one"
  }),
  readOnly: flag({ long: "read-only", summary: "Refuse every request that would change something" }),
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
    summary: "Project to act on (default: the selected one)"
  }),
  host: valued({
    long: "host",
    placeholder: "HOST",
    value: host,
    summary:
      "Run the command on another machine, by ssh: a name of hosts.toml, user@host, ssh://[user@]host[:port][/home]"
  }),
  all: flag({ long: "all", summary: "Show all" }),
  long: flag({ long: "long", short: "l", summary: "Show all of it, however wide or long the table gets" }),
  json: flag({ long: "json", summary: "Print the answer as JSON: see docs/json.md" })
}

export type OptionKey = keyof typeof optionTable

/** The options of one command line. An option that is not given is absent, even if it has a default. */
export type OptionValues = { readonly [K in OptionKey]?: ValueOf<(typeof optionTable)[K]> }

/** The options that replace a command: they print something and exit. */
export const questionTable = {
  help: flag({ long: "help", short: "h", summary: "Show help" }),
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

/** The options that every command understands, which its own help therefore does not list. */
export const globalOptions: ReadonlyArray<OptionKey> = ["host"]

/** All option keys of the commands, in the order of the table. */
export const optionKeys: ReadonlyArray<OptionKey> = Struct.keys(optionTable)
