import * as Either from "effect/Either"
import type { EffectiveProject, EffectiveSettings } from "../settings/EffectiveSettings.ts"
import { isChannelSecret } from "../settings/NotifySettings.ts"
import { appliedAtStart, inFile, notInherited, workerArguments } from "../settings/SettingKeys.ts"
import { provenanceOf } from "../settings/SettingsMerge.ts"
import type { FileSettings } from "../settings/SettingsProjects.ts"
import { keyPathText } from "../toml/KeyPath.ts"
import { isTable, type RawSettings, tomlText, valueAt } from "../toml/RawSettings.ts"
import type { Applies, SettingChange, SettingsChanges } from "./SettingsData.ts"

/** A project of both versions, with its settings as they would be in the file. */
interface Kept {
  readonly before: EffectiveProject
  readonly after: EffectiveProject
  readonly oldSettings: RawSettings
  readonly newSettings: RawSettings
}

const keptIn = (before: EffectiveSettings, after: EffectiveSettings): ReadonlyArray<Kept> =>
  after.projects.flatMap((project) => {
    const earlier = before.projects.find((other) => other.project === project.project)
    return earlier === undefined
      ? []
      : [
          {
            before: earlier,
            after: project,
            oldSettings: inFile(earlier.settings),
            newSettings: inFile(project.settings)
          }
        ]
  })

/** The projects of one version that the other does not have. */
const namesOnlyIn = ({ projects }: EffectiveSettings, others: EffectiveSettings) =>
  projects
    .map(({ project }) => project)
    .filter((name) => others.projects.every(({ project }) => project !== name))

const takesArguments = ({ worker }: EffectiveProject): boolean =>
  Either.isRight(worker) && worker.right.command._tag !== "Command"

const waitsForStart = ({ path }: FileChange, kept: Kept): boolean =>
  appliedAtStart.some((name) => name === path[0] || name === path.join(".")) &&
  tomlText(valueAt(kept.oldSettings, path)) !== tomlText(valueAt(kept.newSettings, path)) &&
  (!workerArguments.includes(path[0]) || takesArguments(kept.before) || takesArguments(kept.after))

/** A worker command is one value: a table that sets a part of it sets all of it. */
const mergedPath = (path: FileChange["path"]): ReadonlyArray<string> =>
  path[0] === "worker_command" ? [path[0]] : path

/** True when a project takes this setting from the table where it changed, if no stronger source sets it. */
const takes = (
  { path, table }: FileChange,
  { isTopLevel, project }: EffectiveProject,
  { fileSettings }: EffectiveSettings
): boolean => {
  if (table !== undefined) return !isTopLevel && project === table
  if (isTopLevel) return true
  const own = fileSettings.tables.get(project) ?? {}
  return !notInherited.includes(path[0]) && valueAt(own, mergedPath(path)) === undefined
}

/** True when the command line or the environment overrides the file. */
const isHidden = ({ path }: FileChange, project: EffectiveProject): boolean => {
  const source = provenanceOf(project, mergedPath(path).join("."))
  return source === "command line" || source.startsWith("environment ")
}

const appliesOf = (change: FileChange, kept: ReadonlyArray<Kept>, after: EffectiveSettings): Applies => {
  const concerned = after.projects.filter((project) => takes(change, project, after))
  if (concerned.some((project) => isHidden(change, project))) return "daemon-restart"
  const waiting = kept.some((one) => concerned.includes(one.after) && waitsForStart(change, one))
  return waiting ? "worker-restart" : "on-reload"
}

const changeOf = (change: FileChange, applies: Applies): SettingChange => {
  const isSecret = change.path[0] === "env" || isChannelSecret(change.path)
  return {
    key: keyOf(change),
    ...(isSecret || change.from === undefined ? {} : { from: change.from }),
    ...(isSecret || change.to === undefined ? {} : { to: change.to }),
    applies
  }
}

/** The command, folder and environment of a worker, as one text to compare. */
const execution = ({ envFile, settings, worker }: EffectiveProject): string =>
  JSON.stringify([
    Either.isRight(worker) ? worker.right.argv : null,
    settings.workingDir,
    Object.entries(settings.env).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    envFile.path
  ])

/**
 * The differences between two versions of the settings file that were loaded with the same other sources: each changed
 * key once, at its place in the file, however many projects inherit it.
 */
export const settingsChanges = (before: EffectiveSettings, after: EffectiveSettings): SettingsChanges => {
  const kept = keptIn(before, after)
  const added = namesOnlyIn(after, before)
  const otherwise = kept.filter((one) => execution(one.before) !== execution(one.after))
  const changed = new Set([...added, ...otherwise.map((one) => one.after.project)])
  return {
    changes: fileChanges(before.fileSettings, after.fileSettings).map((change) =>
      changeOf(change, appliesOf(change, kept, after))
    ),
    projects_added: added,
    projects_removed: namesOnlyIn(before, after),
    changes_command: after.projects.map(({ project }) => project).filter((name) => changed.has(name))
  }
}

/** One setting with different values in two versions of the file. */
interface FileChange {
  /** The NAME of its `[projects.NAME]`; undefined for the top level. */
  readonly table: string | undefined
  /** Its place in that table: `["restart", "jitter"]`. */
  readonly path: readonly [string, ...ReadonlyArray<string>]
  /** The value as TOML; undefined where it is not set. */
  readonly from: string | undefined
  readonly to: string | undefined
}

/** The key of a changed setting in the file. */
const keyOf = ({ path, table }: FileChange): string =>
  keyPathText(table === undefined ? path : ["projects", table, ...path])

interface Leaf {
  readonly path: readonly [string, ...ReadonlyArray<string>]
  readonly text: string
}

const leavesBelow = (path: Leaf["path"], value: unknown): ReadonlyArray<Leaf> =>
  isTable(value)
    ? Object.entries(value).flatMap(([name, inner]) => leavesBelow([...path, name], inner))
    : [{ path, text: tomlText(value) }]

/** Each value of a project's settings by its dotted key, in the order of the file. */
const leavesOf = (raw: RawSettings): ReadonlyMap<string, Leaf> =>
  new Map(
    Object.entries(raw).flatMap(([name, value]) =>
      leavesBelow([name], value).map((leaf) => [keyPathText(leaf.path), leaf] as const)
    )
  )

const changesIn = (
  table: string | undefined,
  before: RawSettings,
  after: RawSettings
): ReadonlyArray<FileChange> => {
  const old = leavesOf(before)
  const now = leavesOf(after)
  return [...new Map([...now, ...old])]
    .map(([key, { path }]) => ({ table, path, from: old.get(key)?.text, to: now.get(key)?.text }))
    .filter(({ from, to }) => from !== to)
}

/** The differences in the order of the later version; those that only the earlier one has come last. */
const fileChanges = (before: FileSettings, after: FileSettings): ReadonlyArray<FileChange> => {
  const tables = [...new Set([...after.tables.keys(), ...before.tables.keys()])]
  return [
    ...changesIn(undefined, before.top, after.top),
    ...tables.flatMap((name) => changesIn(name, before.tables.get(name) ?? {}, after.tables.get(name) ?? {}))
  ]
}
