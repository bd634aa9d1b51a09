import { printable } from "../text/Printable.ts"
import { listed } from "../text/TextLayout.ts"
import { keyPathText } from "../toml/KeyPath.ts"
import type { Applies, ConfigProblem, ReloadData, SettingChange, SettingsChanges } from "./SettingsData.ts"

/** A longer value is cut and ends in `...`. */
const maxValueLength = 200

const shown = (value: string): string => printable(value, maxValueLength)

/** One change: `restart.jitter: 0 -> 0.25`. The values of a secret are not known here. */
export const changeLine = ({ from, key, to }: SettingChange): string => {
  const name = printable(key)
  if (from === undefined && to === undefined) return `${name}: changed (its value is not shown)`
  return `${name}: ${from === undefined ? "not set" : shown(from)} -> ${to === undefined ? "not set" : shown(to)}`
}

const projects = (names: ReadonlyArray<string>): string => listed(names.map((name) => printable(name)))

const aboutProjects = (changes: SettingsChanges): ReadonlyArray<string> => [
  ...(changes.projects_added.length === 0 ? [] : [`Projects added: ${projects(changes.projects_added)}`]),
  ...(changes.projects_removed.length === 0
    ? []
    : [`Projects removed: ${projects(changes.projects_removed)}`])
]

/** The changes without those of added and removed projects, which are listed as such. */
export const changesOfStaying = (changes: SettingsChanges): ReadonlyArray<SettingChange> => {
  const tables = [...changes.projects_added, ...changes.projects_removed].map(
    (name) => `${keyPathText(["projects", name])}.`
  )
  return changes.changes.filter(({ key }) => !tables.some((table) => key.startsWith(table)))
}

const isNothing = (changes: SettingsChanges): boolean =>
  changes.changes.length + changes.projects_added.length + changes.projects_removed.length === 0

const heading: Readonly<Record<Applies, string>> = {
  "on-reload": "In force now:",
  "worker-restart": "At the next start of the worker:",
  "daemon-restart": "At the next start of the daemon, unless its command line or environment sets them:"
}

const restartCommand = (names: ReadonlyArray<string>): string =>
  names.length === 1
    ? `autopilotd restart-worker --project ${printable(names[0] ?? "")}`
    : "autopilotd reload --restart"

/** The result of a reload and the commands that are still to be run, ending in a newline. */
export const reloadText = (data: ReloadData): string => {
  const { awaiting_restart: awaiting, restarted } = data
  const changes = changesOfStaying(data)
  const sections = (["on-reload", "worker-restart", "daemon-restart"] as const).flatMap((applies) => {
    const lines = changes
      .filter((change) => change.applies === applies)
      .map((change) => `  ${changeLine(change)}`)
    return lines.length === 0 ? [] : [heading[applies], ...lines]
  })
  const keep =
    awaiting.length === 1
      ? "keeps its earlier settings until its next start"
      : "keep their earlier settings until their next start"
  return [
    ...(isNothing(data) ? ["Nothing has changed."] : sections),
    ...aboutProjects(data),
    ...(restarted.length === 0 ? [] : [`Workers restarted: ${projects(restarted)}`]),
    ...(awaiting.length === 0 ? [] : [`${projects(awaiting)} ${keep}: ${restartCommand(awaiting)}`])
  ]
    .map((line) => `${line}\n`)
    .join("")
}

/** The reader of a written file: a running daemon, one that may run with this file, or the next start. */
export type Reader = "daemon" | "watching daemon" | "unknown" | "nobody"

const howToApply = (changes: ReadonlyArray<SettingChange>, reader: Reader): string => {
  switch (reader) {
    case "nobody":
      return "No daemon is running: the next start reads it."
    case "unknown":
      return "To apply it in a daemon that uses this file, run: autopilotd reload"
    case "watching daemon":
    case "daemon": {
      const needs = (applies: Applies) => changes.some((change) => change.applies === applies)
      if (changes.length > 0 && changes.every(({ applies }) => applies === "daemon-restart")) {
        return "To apply it, stop the daemon and start it again, unless its command line or environment overrides it."
      }
      const restart = needs("worker-restart")
      if (reader === "daemon") return `Apply it: autopilotd reload${restart ? " --restart" : ""}`
      const next = restart ? " A worker gets it at its next start: autopilotd reload --restart" : ""
      return `The daemon reloads the file by itself (watch_config).${next}`
    }
  }
}

/**
 * The changes that were written to the settings file, or would be, and the command that applies them. Ends in a
 * newline. Changes that were in the file before (not `isMeant`) are listed by key only.
 */
export const writtenText = (
  written: SettingsChanges & { readonly written: boolean; readonly path: string },
  reader: Reader,
  isMeant: (key: string) => boolean = () => true
): string => {
  const { changes, changes_command: executed } = written
  const meant = changes.filter(({ key }) => isMeant(key))
  const others = changes.filter(({ key }) => !isMeant(key)).map(({ key }) => printable(key))
  const named = [...meant.map(changeLine), ...aboutProjects(written)]
  const what = [
    ...(named.length === 0 ? ["The settings stay as they are."] : named),
    ...(others.length === 0 ? [] : [`Written before and not in force yet: ${listed(others)}`])
  ]
  const executes =
    executed.length === 0 ? [] : [`Another program or environment will run in: ${projects(executed)}`]
  const next = written.written
    ? isNothing(written)
      ? []
      : [howToApply(changes, reader)]
    : [`This is a dry run: ${printable(written.path)} was not written.`]
  return [...what, ...executes, ...next].map((line) => `${line}\n`).join("")
}

/**
 * A problem as one line: `/home/u/daemon.toml:7:3: restart.max_backof_ms is not a setting. Did you mean ...?`. A problem
 * with a key and without a line is not about the file, but about an environment variable or the command line.
 */
export const problemLine = (problem: ConfigProblem, path: string | undefined): string => {
  const { column, key, line, nearest, reason } = problem
  const position = [line, column].filter((at) => at !== undefined).join(":")
  const isInFile = line !== undefined || key === undefined
  const place =
    path !== undefined && isInFile
      ? `${[path, position].filter((part) => part !== "").join(":")}: `
      : position === ""
        ? ""
        : `line ${position}: `
  const subject = key === undefined ? "" : `${key} `
  const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`
  return printable(`${place}${subject}${reason}.${hint}`)
}
