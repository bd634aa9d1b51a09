import * as Struct from "effect/Struct"
import type { ArgumentKey } from "./ArgumentTable.ts"
import { globalOptions, type OptionKey } from "./OptionTable.ts"

/** One command of the command line. Its name may have several words: `config check`. */
interface CommandRow {
  /** Other names of the command, which users know from other tools. */
  readonly aliases?: ReadonlyArray<string>
  /** Required arguments, in their order. */
  readonly args?: ReadonlyArray<ArgumentKey>
  /** Arguments after them that may be absent. One that may stand several times is the last. */
  readonly optional?: ReadonlyArray<ArgumentKey>
  readonly options: ReadonlyArray<OptionKey>
  /** Options without a meaning here, which the original's command line takes everywhere: understood, and in no help. */
  readonly unlisted?: ReadonlyArray<OptionKey>
  /** An option that requires another one, and the reason. */
  readonly needs?: { readonly option: OptionKey; readonly other: OptionKey; readonly because: string }
  /** Options that do not go with another one, and the reason. */
  readonly excludes?: {
    readonly options: ReadonlyArray<OptionKey>
    readonly other: OptionKey
    readonly because: string
  }
  /** Whether `-- CMD ARGS` may follow. */
  readonly takesWorker?: true
  /** Whether it must. */
  readonly needsWorker?: true
}

const worker = ["workdir", "model", "maxBudget", "maxTurns"] as const
const ofSettings = ["config", "project", "json"] as const
const unlisted = ["config"] as const
const control = ["noWait", "project", "json"] as const
const changing = ["dryRun", ...ofSettings] as const

/**
 * The commands in the order of the help. Help, completions, man page, docs/commands.md and the command tree are derived
 * from this table: a new command is a row here, its texts in `CommandTexts`, and a handler in `Commands`. The quick commands
 * load this table, so no text for users stands in it.
 */
const commandTable = {
  start: {
    options: [...worker, "detach", "keepState", "exitWhenFinished", "terminationLog", "raw", ...ofSettings],
    needs: {
      option: "json",
      other: "detach",
      because: "in the foreground it prints the worker's own output"
    },
    excludes: {
      options: ["exitWhenFinished", "terminationLog"],
      other: "detach",
      because: "it is for the program that waits for the daemon in the foreground"
    },
    takesWorker: true
  },
  run: {
    options: [...worker, "save", "project", "json"],
    takesWorker: true,
    needsWorker: true
  },
  status: {
    optional: ["names"],
    options: ["project", "json"],
    unlisted
  },
  projects: {
    aliases: ["ps", "ls"],
    optional: ["names"],
    options: ["long", "project", "json"],
    unlisted
  },
  logs: {
    optional: ["names"],
    options: [
      "follow",
      "lines",
      "since",
      "until",
      "grep",
      "stderr",
      "daemon",
      "text",
      "raw",
      "project",
      "json"
    ]
  },
  hogs: {
    options: ["long", "json"],
    unlisted
  },
  metrics: { options: ["openMetrics", "output", "json"] },
  history: {
    optional: ["name"],
    options: ["long", "lines", "since", "until", "project", "json"],
    unlisted
  },
  events: {
    optional: ["name"],
    options: ["follow", "lines", "since", "until", "project", "json"]
  },
  top: { options: [] },
  wait: {
    optional: ["name"],
    options: ["timeout", "project", "json"]
  },
  why: {
    optional: ["name"],
    options: ["all", "long", "project", "json"],
    unlisted
  },
  doctor: { options: ["config", "json"] },
  switch: {
    args: ["target"],
    options: ["keep", "yes", "noWait", "json"]
  },
  use: {
    args: ["target"],
    options: ["json"]
  },
  "start-worker": {
    optional: ["names"],
    options: control,
    unlisted
  },
  "stop-worker": {
    optional: ["names"],
    options: control,
    unlisted
  },
  "restart-worker": {
    aliases: ["restart"],
    optional: ["names"],
    options: control,
    unlisted
  },
  "budget show": {
    options: ["long", "json"],
    unlisted
  },
  "budget reset": {
    optional: ["name"],
    options: ["project", "json"],
    unlisted
  },
  "notify test": {
    optional: ["channel"],
    options: ["config", "json"]
  },
  "notify list": { options: ["config", "json"] },
  "fleet status": { options: ["hosts", "json"] },
  "fleet watch": { options: ["hosts", "json"] },
  "fleet doctor": { options: ["hosts", "json"] },
  reload: {
    optional: ["name"],
    options: ["restart", "project", "json"],
    needs: {
      option: "project",
      other: "restart",
      because: "a reload reads the settings of all projects"
    }
  },
  stop: { options: ["noWait", "config", "json"] },
  relay: { options: ["metricsPort", "config"] },
  "dial-stdio": { options: ["readOnly"] },
  gui: { options: ["port", "open", "startDaemon", "workdir", "project"] },
  init: { options: ["workdir", "project", "json"] },
  install: { options: ["gui", "print", "json"] },
  uninstall: { options: ["gui", "json"] },
  "config check": {
    options: [...worker, ...ofSettings],
    takesWorker: true
  },
  "config show": { options: ["config", "json"] },
  "config get": {
    args: ["key"],
    options: ofSettings
  },
  "config set": {
    args: ["key", "value"],
    options: changing
  },
  "config unset": {
    args: ["key"],
    options: changing
  },
  "config edit": { options: ["config", "json"] },
  "config schema": { options: ["json"] }
} as const satisfies Record<string, CommandRow>

/** The name of a command, its words separated by one space. */
export type Verb = keyof typeof commandTable

/** All commands, in the order of the table. */
export const verbs: ReadonlyArray<Verb> = Struct.keys(commandTable)

/** The first words of commands of two words. */
export const groups = ["budget", "notify", "fleet", "config"] as const

export type Group = (typeof groups)[number]

const isVerb = (name: string): name is Verb => Object.hasOwn(commandTable, name)
export const isGroup = (name: string): name is Group => groups.some((group) => group === name)

/** The row of a command, widened to the type that all rows share. */
export const commandRow = (verb: Verb): CommandRow => commandTable[verb]

/** The other names of a command. */
export const aliasesOf = (verb: Verb): ReadonlyArray<string> => commandRow(verb).aliases ?? []

/** The other names of all commands. */
export const aliases: ReadonlyArray<string> = verbs.flatMap(aliasesOf)

/** The command of a name or of an alias. */
export const verbNamed = (name: string): Verb | undefined =>
  isVerb(name) ? name : verbs.find((verb) => aliasesOf(verb).includes(name))

/** The arguments that a command requires, in their order. */
export const requiredArguments = (verb: Verb): ReadonlyArray<ArgumentKey> => commandRow(verb).args ?? []

/** All arguments of a command, in their order: first the required ones. */
export const argumentsOf = (verb: Verb): ReadonlyArray<ArgumentKey> => [
  ...requiredArguments(verb),
  ...(commandRow(verb).optional ?? [])
]

/** The words that may follow `group`, or the first words of all commands, without duplicates. */
export const nextWords = (group: Group | undefined): ReadonlyArray<string> => {
  const before = group === undefined ? [] : group.split(" ")
  const rest = verbs
    .map((verb) => verb.split(" "))
    .filter((words) => before.every((word, at) => words[at] === word))
    .flatMap((words) => words.slice(before.length, before.length + 1))
  return [...new Set(rest)]
}

/** The options that a command understands. */
export const optionsUnderstood = (verb: Verb): ReadonlyArray<OptionKey> => [
  ...commandRow(verb).options,
  ...(commandRow(verb).unlisted ?? []),
  ...globalOptions
]

/** The commands an option belongs to. */
export const verbsWith = (key: OptionKey): ReadonlyArray<Verb> =>
  globalOptions.includes(key) ? verbs : verbs.filter((verb) => commandRow(verb).options.includes(key))
