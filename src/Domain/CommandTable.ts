import * as Struct from "effect/Struct"
import type { OptionKey } from "./OptionTable.ts"

/** One command as a person sees it. Its name may have several words: `config check`. */
interface CommandRow {
  /** What it does, in a few words; ends without a full stop. */
  readonly summary: string
  /** What else one should know, in whole sentences. */
  readonly details: string
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

/** The commands, in the order in which help shows them: a new one is a row here and a handler. */
export const commandTable = {
  start: {
    summary: "Start the daemon and its worker (also when no command is given)",
    details:
      "Supervises in the foreground until Ctrl-C, or in the background with --detach. What follows -- is the worker's command line, taken as it is; without it the settings say what runs.",
    options: [...worker, "detach", "keepState", ...everywhere],
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
  stop: {
    summary: "Stop the daemon and the workers of all its projects",
    details:
      "Returns when the daemon is gone, so that another can be started at once. It takes no --project: all workers end with the daemon; stop-worker ends one.",
    options: ["noWait", "config", "json"],
    takesWorker: false,
    examples: ["autopilotd stop && autopilotd start --detach"]
  },
  "config check": {
    summary: "Check the settings and show where each one comes from",
    details:
      "Takes the options of start, shows what start would use and starts nothing. Secrets are masked. Exits with 1 when start would refuse.",
    options: [...worker, ...everywhere],
    takesWorker: true,
    examples: ["autopilotd config check", "autopilotd config check --config ./daemon.toml --json"]
  }
} as const satisfies Record<string, CommandRow>

/** The name of a command, its words separated by one space. */
export type Verb = keyof typeof commandTable

/** All commands, in the order of the table. */
export const verbs: ReadonlyArray<Verb> = Struct.keys(commandTable)

/** What the first words of commands of several words stand for. */
export const groupTable = {
  config: "Look at the settings"
} as const satisfies Record<string, string>

export type Group = keyof typeof groupTable

/** All groups, in the order of the table. */
export const groups: ReadonlyArray<Group> = Struct.keys(groupTable)

export const isVerb = (name: string): name is Verb => Object.hasOwn(commandTable, name)
export const isGroup = (name: string): name is Group => Object.hasOwn(groupTable, name)

/** The row of a command, in the shape all rows have in common. */
export const commandRow = (verb: Verb): CommandRow => commandTable[verb]

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

/** `a`, `a and b`, `a, b and c`. */
export const listed = (names: ReadonlyArray<string>, conjunction: "and" | "or" = "and"): string =>
  names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} ${conjunction} ${names.slice(-1).join("")}`
