import * as Struct from "effect/Struct"
import type { ArgumentKey } from "./ArgumentTable.ts"
import type { OptionKey } from "./OptionTable.ts"

/** One command of the command line. Its name may have several words: `config check`. */
interface CommandRow {
  /** One imperative sentence without its full stop. */
  readonly summary: string
  /** Behaviour beyond the summary, in whole sentences. */
  readonly details: string
  /** Required arguments, in their order. */
  readonly args?: ReadonlyArray<ArgumentKey>
  readonly options: ReadonlyArray<OptionKey>
  /** An option that requires another one, and the reason. */
  readonly needs?: { readonly option: OptionKey; readonly other: OptionKey; readonly because: string }
  /** Whether `-- CMD ARGS` may follow. */
  readonly takesWorker: boolean
  readonly examples: ReadonlyArray<string>
}

const worker = ["workdir", "model", "maxBudget", "maxTurns"] as const
const everywhere = ["config", "project", "json"] as const
const control = ["noWait", ...everywhere] as const
const changing = ["dryRun", ...everywhere] as const

/**
 * The commands in the order of the help. Help, completions, man page, docs/commands.md and the command tree are derived
 * from this table: a new command is a row here and a handler in `Commands`.
 */
const commandTable = {
  start: {
    summary: "Start the daemon and its worker (the default)",
    details:
      "Runs in the foreground until Ctrl-C, or in the background with --detach; where the systemd service is installed, --detach starts the service. Arguments after -- are the worker's command line, passed on unchanged; without them, the settings name the worker. --project selects the project of that name in the settings; a name without a table of its own becomes the name of the top level's project.",
    options: [...worker, "detach", "keepState", "raw", ...everywhere],
    needs: {
      option: "json",
      other: "detach",
      because: "in the foreground it prints the worker's own output"
    },
    takesWorker: true,
    examples: [
      "autopilotd start --workdir ~/code/shop --project shop --detach",
      "autopilotd start --model opus --max-turns 200",
      "autopilotd start -- claude -p 'Fix the failing tests'"
    ]
  },
  status: {
    summary: "Show what the worker does, why, and what is next",
    details: "Exits with code 3 when no daemon is running, and with 4 when the worker has failed.",
    options: everywhere,
    takesWorker: false,
    examples: ["autopilotd status", "autopilotd status --project shop --json"]
  },
  projects: {
    summary: "List the projects and the state of their workers",
    details:
      "Marks the selected project: commands without --project act on it. With --project, lists only that one. Exits with code 3 when no daemon is running.",
    options: everywhere,
    takesWorker: false,
    examples: ["autopilotd projects", "autopilotd projects --json"]
  },
  logs: {
    summary: "Show the worker's output",
    details:
      "Reads worker.log and its rotated files, whether or not a daemon is running: the last 50 lines, or the range of --lines and --since. A terminal shows the stream of an agent in readable form; --raw shows it unchanged, as a pipe receives it. --json prints one object per line.",
    options: ["follow", "lines", "since", "grep", "stderr", "raw", "project", "json"],
    takesWorker: false,
    examples: [
      "autopilotd logs -f",
      "autopilotd logs --since 2h --grep error --project shop",
      "autopilotd logs -n 1000 --stderr --json"
    ]
  },
  hogs: {
    summary: "List what the daemon would kill if memory ran low",
    details:
      "Lists the processes the daemon would kill if memory ran low, in order, and explains why it would spare the others. Considers large processes and leftovers of workers. Kills nothing. Exits with code 3 when no daemon is running.",
    options: ["config", "json"],
    takesWorker: false,
    examples: ["autopilotd hogs", "autopilotd hogs --json"]
  },
  history: {
    summary: "Show past starts, exits, waits and restarts",
    details:
      "Shows each event with its time and cause, whether or not a daemon is running: the last 20 events, or the range of --lines and --since. --project shows the events of one project and those of the daemon itself.",
    options: ["lines", "since", ...everywhere],
    takesWorker: false,
    examples: ["autopilotd history", "autopilotd history --since yesterday --project shop --json"]
  },
  why: {
    summary: "Explain the worker's state and what you can do",
    details:
      "Answers in plain sentences, with the events behind them. When no daemon is running, explains how and when the last one ended.",
    options: everywhere,
    takesWorker: false,
    examples: ["autopilotd why", "autopilotd why --project shop"]
  },
  doctor: {
    summary: "Check machine and settings for common problems",
    details:
      "Checks Node, the settings, the worker's program, the daemon's folder, the disk, the memory and the service. Each finding says what to do about it. Changes nothing. Exits with code 1 when it finds an error.",
    options: ["config", "json"],
    takesWorker: false,
    examples: ["autopilotd doctor", "autopilotd doctor --json"]
  },
  switch: {
    summary: "Select another project and start its worker",
    details:
      "Stops the worker of the selected project and starts the other one after the last process of the first has exited. With --keep, both run. Returns when the switch is complete.",
    args: ["target"],
    options: ["keep", "noWait", "json"],
    takesWorker: false,
    examples: ["autopilotd switch shop", "autopilotd switch shop --keep"]
  },
  "start-worker": {
    summary: "Start a worker that is stopped, failed or waiting",
    details: "Resets the failure count.",
    options: control,
    takesWorker: false,
    examples: ["autopilotd start-worker --project shop"]
  },
  "stop-worker": {
    summary: "Stop the worker and every process it started",
    details:
      "The daemon keeps running. The worker stays stopped until start-worker, restart-worker or the next start of the daemon by a user.",
    options: control,
    takesWorker: false,
    examples: ["autopilotd stop-worker"]
  },
  "restart-worker": {
    summary: "Stop the worker, then start it again",
    details: "Also starts a worker that is stopped, failed or waiting.",
    options: control,
    takesWorker: false,
    examples: ["autopilotd restart-worker --no-wait"]
  },
  "budget show": {
    summary: "Show what the agents have spent",
    details:
      "Lists each project whose agent the daemon knows: the cost and the turns of its work over all runs, its spending today, the limits, and the session that the next run continues. Exits with code 3 when no daemon is running.",
    options: ["config", "json"],
    takesWorker: false,
    examples: ["autopilotd budget show", "autopilotd budget show --json"]
  },
  "budget reset": {
    summary: "Begin another work: a new session, and the budget from zero",
    details:
      "max_budget and max_turns are for a work, over all runs of the agent. A running agent keeps its session and the limits that it was started with. The spending of the day stays. Starts nothing: after it, start-worker starts a worker that has used up its budget.",
    options: everywhere,
    takesWorker: false,
    examples: ["autopilotd budget reset && autopilotd start-worker"]
  },
  reload: {
    summary: "Read the settings file again and apply its changes",
    details:
      "Applies at once what can change at once. A running worker keeps the settings it was started with until its next start; --restart restarts the workers that need it, or only the one of --project. Invalid settings change nothing.",
    options: ["restart", "project", "json"],
    needs: {
      option: "project",
      other: "restart",
      because: "a reload reads the settings of all projects"
    },
    takesWorker: false,
    examples: ["autopilotd reload", "autopilotd reload --restart --project shop"]
  },
  stop: {
    summary: "Stop the daemon and the workers of all its projects",
    details:
      "Returns when the daemon has exited, so that another can start at once. Fails when a process of a worker could not be killed. Without a daemon it stops the workers that a killed daemon has left, and succeeds also when there are none. Takes no --project: all workers stop with the daemon. stop-worker stops one worker.",
    options: ["noWait", "config", "json"],
    takesWorker: false,
    examples: ["autopilotd stop && autopilotd start --detach"]
  },
  gui: {
    summary: "Serve the web panel on this machine",
    details:
      "Prints a link that holds the panel's token, and serves the panel on 127.0.0.1 until Ctrl-C, whether or not a daemon is running. --open opens the link in the browser. --start starts the daemon first where none runs; --workdir and --project apply to that start, and to the panel's own Start button. Where a panel of this AUTOPILOT_HOME runs already, as the service of install --gui does, prints the link of that one; --port N of another port starts a second one. From another machine, forward the port: ssh -L 7420:127.0.0.1:7420 HOST.",
    options: ["port", "open", "startDaemon", "workdir", "project"],
    takesWorker: false,
    examples: ["autopilotd gui --open", "autopilotd gui --port 0 --start --workdir ~/code/shop"]
  },
  install: {
    summary: "Install and start the systemd user service",
    details:
      "Writes a launcher to bin/autopilotd in AUTOPILOT_HOME and a systemd unit, enables and starts the service, and reports each step. The service gets the PATH of the current shell. Run it again after a change of Node, of the package or of PATH: it changes only what differs. --gui also makes the web panel a service, with a unit of its own, and prints its link; autopilotd gui prints it again. --print shows the files and commands without writing or running them.",
    options: ["gui", "print", "json"],
    takesWorker: false,
    examples: ["autopilotd install", "autopilotd install --gui", "autopilotd install --print"]
  },
  uninstall: {
    summary: "Stop and remove the systemd user service",
    details:
      "Stops the workers with their grace period. Keeps settings, logs and history. --gui removes only the service of the web panel.",
    options: ["gui", "json"],
    takesWorker: false,
    examples: ["autopilotd uninstall", "autopilotd uninstall --gui"]
  },
  "config check": {
    summary: "Check the settings and show the source of each value",
    details:
      "Takes the options of start and shows the settings that start would use. Starts nothing. Masks secrets. Exits with code 1 when start would refuse the settings.",
    options: [...worker, ...everywhere],
    takesWorker: true,
    examples: ["autopilotd config check", "autopilotd config check --config ./daemon.toml --json"]
  },
  "config show": {
    summary: "Print the settings file",
    details: "Prints the file of the running daemon unchanged, or the file of --config.",
    options: ["config", "json"],
    takesWorker: false,
    examples: ["autopilotd config show"]
  },
  "config set": {
    summary: "Change one setting in the settings file",
    details:
      "Keeps the rest of the file unchanged, including comments. Checks the whole file before writing it, and reports what the change takes to apply. --project changes the setting of that project. Quote a list, or a text of several words, for the shell.",
    args: ["key", "value"],
    options: changing,
    takesWorker: false,
    examples: [
      "autopilotd config set restart.jitter 0.25",
      "autopilotd config set model opus --project shop",
      `autopilotd config set worker_command.argv '["claude", "-p", "Go on"]'`
    ]
  },
  "config unset": {
    summary: "Remove one setting from the settings file",
    details: "The default applies from then on, or for a project the value of the top level.",
    args: ["key"],
    options: changing,
    takesWorker: false,
    examples: ["autopilotd config unset restart.jitter --dry-run"]
  },
  "config edit": {
    summary: "Edit the settings file and check it",
    details:
      "Opens a copy in $VISUAL, $EDITOR or vi, and writes it back once it is valid. Invalid settings open again with the errors as comments, and no typed text is ever lost. A new file begins with the path of the JSON Schema, by which editors complete and check settings.",
    options: ["config", "json"],
    takesWorker: false,
    examples: ["autopilotd config edit", "EDITOR='code --wait' autopilotd config edit"]
  },
  "config schema": {
    summary: "Print the JSON Schema of the settings file",
    details:
      "Editors that know TOML complete and check daemon.toml with it. Needs neither a daemon nor a settings file.",
    options: ["json"],
    takesWorker: false,
    examples: ["autopilotd config schema"]
  }
} as const satisfies Record<string, CommandRow>

/** The name of a command, its words separated by one space. */
export type Verb = keyof typeof commandTable

/** All commands, in the order of the table. */
export const verbs: ReadonlyArray<Verb> = Struct.keys(commandTable)

/** The first words of commands of two words, each with its summary. */
export const groupTable = {
  budget: "Show what agents have spent, and begin from zero",
  config: "Show, check and change the settings"
} as const satisfies Record<string, string>

export type Group = keyof typeof groupTable

/** All groups, in the order of the table. */
export const groups: ReadonlyArray<Group> = Struct.keys(groupTable)

export const isVerb = (name: string): name is Verb => Object.hasOwn(commandTable, name)
export const isGroup = (name: string): name is Group => Object.hasOwn(groupTable, name)

/** The row of a command, widened to the type that all rows share. */
export const commandRow = (verb: Verb): CommandRow => commandTable[verb]

/** The arguments of a command, in their order. */
export const argumentsOf = (verb: Verb): ReadonlyArray<ArgumentKey> => commandRow(verb).args ?? []

/** The words that may follow `group`, or the first words of all commands, without duplicates. */
export const nextWords = (group: Group | undefined): ReadonlyArray<string> => {
  const before = group === undefined ? [] : group.split(" ")
  const rest = verbs
    .map((verb) => verb.split(" "))
    .filter((words) => before.every((word, at) => words[at] === word))
    .flatMap((words) => words.slice(before.length, before.length + 1))
  return [...new Set(rest)]
}

/** The commands an option belongs to. */
export const verbsWith = (key: OptionKey): ReadonlyArray<Verb> =>
  verbs.filter((verb) => commandRow(verb).options.includes(key))
