import * as Struct from "effect/Struct"
import type { ArgumentKey } from "./ArgumentTable.ts"
import type { OptionKey } from "./OptionTable.ts"

/** One command as a person sees it. Its name may have several words: `config check`. */
interface CommandRow {
  /** What it does, in a few words; ends without a full stop. */
  readonly summary: string
  /** What else one should know, in whole sentences. */
  readonly details: string
  /** The words that must follow it, in this order. */
  readonly args?: ReadonlyArray<ArgumentKey>
  readonly options: ReadonlyArray<OptionKey>
  /** An option that makes sense only together with another, and why. */
  readonly needs?: { readonly option: OptionKey; readonly other: OptionKey; readonly because: string }
  /** Whether `-- CMD ARGS` may follow. */
  readonly takesWorker: boolean
  readonly examples: ReadonlyArray<string>
}

const worker = ["workdir", "model", "maxBudget", "maxTurns"] as const
const everywhere = ["config", "project", "json"] as const
const control = ["noWait", ...everywhere] as const
const changing = ["dryRun", ...everywhere] as const

/** The commands, in the order in which help shows them: a new one is a row here and a handler. */
const commandTable = {
  start: {
    summary: "Start the daemon and its worker (also when no command is given)",
    details:
      "Supervises in the foreground until Ctrl-C, or in the background with --detach, which starts the service where one is installed. What follows -- is the worker's command line, taken as it is; without it the settings say what runs. --project selects a project that has a table in the settings; any other name is given to the project of their top level.",
    options: [...worker, "detach", "keepState", "raw", ...everywhere],
    needs: {
      option: "json",
      other: "detach",
      because: "in the foreground the worker's own output is what is printed"
    },
    takesWorker: true,
    examples: [
      "autopilotd start --workdir ~/code/shop --project shop --detach",
      "autopilotd start --model opus --max-turns 200",
      "autopilotd start -- claude -p 'Fix the failing tests'"
    ]
  },
  status: {
    summary: "Show what the worker does, why, and what comes next",
    details: "Exits with 3 when no daemon is running.",
    options: everywhere,
    takesWorker: false,
    examples: ["autopilotd status", "autopilotd status --project shop --json"]
  },
  projects: {
    summary: "List the projects and what their workers do",
    details:
      "The selected one is marked: it is meant by commands that name none. --project shows only one. Exits with 3 when no daemon is running.",
    options: everywhere,
    takesWorker: false,
    examples: ["autopilotd projects", "autopilotd projects --json"]
  },
  logs: {
    summary: "Show what the worker has said",
    details:
      "Reads worker.log and what was rotated away, whether or not a daemon runs: the last 50 lines, or those that --lines and --since ask for. On a terminal the stream-json of Claude Code is shown in a readable form; --raw shows it as it is, as a pipe gets it. With --json each line is one object.",
    options: ["follow", "lines", "since", "grep", "stderr", "raw", "project", "json"],
    takesWorker: false,
    examples: [
      "autopilotd logs -f",
      "autopilotd logs --since 2h --grep error --project shop",
      "autopilotd logs -n 1000 --stderr --json"
    ]
  },
  hogs: {
    summary: "List whom the daemon would end if memory were low, and why nobody else",
    details:
      "Looks at all processes of the machine, and tells of those that are large or that a worker has lost: in their order whom it would end, and why not the others. It only lists: nobody is ended by it. Exits with 3 when no daemon is running.",
    options: ["config", "json"],
    takesWorker: false,
    examples: ["autopilotd hogs", "autopilotd hogs --json"]
  },
  history: {
    summary: "Show what has happened: starts, ends, waits, restarts and why",
    details:
      "Reads the history of the daemon's home, whether or not one runs: the last 20 events, or those that --lines and --since ask for. With --project those of one project and of the daemon itself.",
    options: ["lines", "since", ...everywhere],
    takesWorker: false,
    examples: ["autopilotd history", "autopilotd history --since yesterday --project shop --json"]
  },
  why: {
    summary: "Explain why the worker is as it is, and what could be done",
    details:
      "In plain sentences, with the events behind them. When no daemon is running, it tells how and when the last one came to its end.",
    options: everywhere,
    takesWorker: false,
    examples: ["autopilotd why", "autopilotd why --project shop"]
  },
  doctor: {
    summary: "Check what could keep the daemon or its workers from running well",
    details:
      "Looks at Node, the settings, the worker's program, the home, the disk, the memory and the service, and says of each whether it is well and what to do if it is not. It changes nothing. Exits with 1 when there is an error.",
    options: ["config", "json"],
    takesWorker: false,
    examples: ["autopilotd doctor", "autopilotd doctor --json"]
  },
  switch: {
    summary: "Select another project: stop one worker, start the other",
    details:
      "The worker of the project selected so far is stopped, and once nothing of it is left, the other one is started. With --keep both run. Returns when that is done.",
    args: ["target"],
    options: ["keep", "noWait", "json"],
    takesWorker: false,
    examples: ["autopilotd switch shop", "autopilotd switch shop --keep"]
  },
  "start-worker": {
    summary: "Start a worker that is stopped, failed or waiting",
    details: "Begins afresh: failures counted so far are forgotten.",
    options: control,
    takesWorker: false,
    examples: ["autopilotd start-worker --project shop"]
  },
  "stop-worker": {
    summary: "Stop the worker and everything it started; the daemon stays",
    details: "The worker stays stopped until start-worker, restart-worker or a new start.",
    options: control,
    takesWorker: false,
    examples: ["autopilotd stop-worker"]
  },
  "restart-worker": {
    summary: "Stop the worker, then start it again",
    details: "Also starts one that is stopped, failed or waiting.",
    options: control,
    takesWorker: false,
    examples: ["autopilotd restart-worker --no-wait"]
  },
  reload: {
    summary: "Read the settings anew and say what changes",
    details:
      "What can change at once does. A worker goes on with what it was started with until its next start; --restart restarts those for which it matters, or only the one of --project. Settings that are wrong change nothing.",
    options: ["restart", "project", "json"],
    needs: {
      option: "project",
      other: "restart",
      because: "the settings of all projects are read together"
    },
    takesWorker: false,
    examples: ["autopilotd reload", "autopilotd reload --restart --project shop"]
  },
  stop: {
    summary: "Stop the daemon and the workers of all its projects",
    details:
      "Returns when the daemon is gone, so that another can be started at once. It takes no --project: all workers end with the daemon; stop-worker ends one.",
    options: ["noWait", "config", "json"],
    takesWorker: false,
    examples: ["autopilotd stop && autopilotd start --detach"]
  },
  install: {
    summary: "Make the daemon a systemd user service, and start it",
    details:
      "Writes a launcher to bin/autopilotd in AUTOPILOT_HOME and a unit for systemd, enables and starts it, and says what it did. The service gets the PATH of the shell that this is run in. Run it again after a change of Node, of the package or of PATH: it changes only what differs. --print shows what would be written and run, and does nothing.",
    options: ["print", "json"],
    takesWorker: false,
    examples: ["autopilotd install", "autopilotd install --print"]
  },
  uninstall: {
    summary: "Stop and remove the systemd user service",
    details: "The worker is ended gracefully. Settings, logs and history stay.",
    options: ["json"],
    takesWorker: false,
    examples: ["autopilotd uninstall"]
  },
  "config check": {
    summary: "Check the settings and show where each one comes from",
    details:
      "Takes the options of start, shows what start would use and starts nothing. Secrets are masked. Exits with 1 when start would refuse.",
    options: [...worker, ...everywhere],
    takesWorker: true,
    examples: ["autopilotd config check", "autopilotd config check --config ./daemon.toml --json"]
  },
  "config show": {
    summary: "Print the settings file as it is",
    details: "A daemon that runs is asked for its file; --config names another.",
    options: ["config", "json"],
    takesWorker: false,
    examples: ["autopilotd config show"]
  },
  "config set": {
    summary: "Change one setting in the settings file",
    details:
      "The rest of the file stays as it is, comments too. The whole is checked before it is written, and what it takes to apply is said. --project means the setting of that project. In a shell, a list or a text of several words stands in quotes.",
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
    summary: "Take one setting out of the settings file",
    details: "Its default holds then, or for a project what the top level says.",
    args: ["key"],
    options: changing,
    takesWorker: false,
    examples: ["autopilotd config unset restart.jitter --dry-run"]
  },
  "config edit": {
    summary: "Edit the settings file, checked before it is written",
    details:
      "Opens $VISUAL, $EDITOR or vi with a copy. Settings that are wrong come back with what is wrong with them, and what was typed is never lost.",
    options: ["config", "json"],
    takesWorker: false,
    examples: ["autopilotd config edit", "EDITOR='code --wait' autopilotd config edit"]
  }
} as const satisfies Record<string, CommandRow>

/** The name of a command, its words separated by one space. */
export type Verb = keyof typeof commandTable

/** All commands, in the order of the table. */
export const verbs: ReadonlyArray<Verb> = Struct.keys(commandTable)

/** What the first words of commands of several words stand for. */
export const groupTable = {
  config: "Look at the settings and change them"
} as const satisfies Record<string, string>

export type Group = keyof typeof groupTable

/** All groups, in the order of the table. */
export const groups: ReadonlyArray<Group> = Struct.keys(groupTable)

export const isVerb = (name: string): name is Verb => Object.hasOwn(commandTable, name)
export const isGroup = (name: string): name is Group => Object.hasOwn(groupTable, name)

/** The row of a command, in the shape all rows have in common. */
export const commandRow = (verb: Verb): CommandRow => commandTable[verb]

/** The arguments of a command, in their order. */
export const argumentsOf = (verb: Verb): ReadonlyArray<ArgumentKey> => commandRow(verb).args ?? []

/** The next words that may follow `group`, or the first words when there is none, each once. */
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
