import { keyPathText } from "../toml/KeyPath.ts"
import { isTable, type RawSettings } from "../toml/RawSettings.ts"
import { variableOf } from "./SettingsEnvironment.ts"

/** The source of a value in force. `file` is the top level of the file. */
export type Provenance =
  | "default"
  | "file"
  | `file [projects.${string}]`
  | `environment ${string}`
  | "command line"

/** The source of a command line that a systemd unit gives the daemon. */
export const unitCommandLine = "command line of the systemd unit"

/** The settings of the command line in the shape of the file, not yet checked. */
export interface CommandLineSettings {
  readonly working_dir?: string
  readonly project?: string
  readonly model?: string
  readonly max_budget?: number
  readonly max_turns?: number
  readonly worker_command?: { readonly type: "Command"; readonly argv: ReadonlyArray<string> }
}

/** The name of each setting on the command line. */
export const optionNames: Readonly<Record<string, string>> = {
  working_dir: "--workdir",
  project: "--project",
  model: "--model",
  max_budget: "--max-budget",
  max_turns: "--max-turns",
  worker_command: "the command after --"
}

/** The settings of one source. */
export interface SettingsLayer {
  readonly raw: RawSettings
  /** The source of the value at a dotted key. */
  readonly sourceOf: (key: string) => Provenance
}

export const fileLayer = (raw: RawSettings): SettingsLayer => ({ raw, sourceOf: () => "file" })

export const tableLayer = (name: string, raw: RawSettings): SettingsLayer => ({
  raw,
  sourceOf: () => `file [projects.${keyPathText([name])}]`
})

export const environmentLayer = (raw: RawSettings): SettingsLayer => ({
  raw,
  sourceOf: (key) => `environment ${variableOf(key.split(".")) ?? key}`
})

export const commandLineLayer = (raw: RawSettings): SettingsLayer => ({
  raw,
  sourceOf: () => "command line"
})

/** Merged settings, and the source of each that is set, by its dotted key. Absent keys have their default. */
export interface Merged {
  readonly raw: RawSettings
  readonly provenance: ReadonlyMap<string, Provenance>
}

/** Tables that are merged key by key. `worker_command` is one value: a mixture of two would start nothing. */
const mergedByKey: ReadonlyArray<string> = [
  "agent",
  "budget",
  "memory",
  "restart",
  "restart.on",
  "log",
  "history",
  "metrics",
  "heartbeat",
  "notify",
  "env"
]

const isMerged = (key: string): boolean => mergedByKey.includes(key)

const lay = (below: RawSettings, above: RawSettings, within = ""): RawSettings => {
  const laid = Object.entries(above).map(([name, value]) => {
    const beneath = below[name]
    const key = within + name
    return isMerged(key) && isTable(value) && isTable(beneath)
      ? [name, lay(beneath, value, `${key}.`)]
      : [name, value]
  })
  return { ...below, ...Object.fromEntries(laid) }
}

const leaves = (raw: RawSettings, within = ""): ReadonlyArray<string> =>
  Object.entries(raw).flatMap(([name, value]) => {
    const key = within + name
    return isMerged(key) && isTable(value) ? leaves(value, `${key}.`) : [key]
  })

/** Merges sources setting by setting, the weakest first. */
export const mergeLayers = (layers: ReadonlyArray<SettingsLayer>): Merged => ({
  raw: layers.reduce<RawSettings>((below, { raw }) => lay(below, raw), {}),
  provenance: new Map(
    layers.flatMap(({ raw, sourceOf }) => leaves(raw).map((key) => [key, sourceOf(key)] as const))
  )
})

/** The source of the value at a dotted key. */
export const provenanceOf = (merged: Pick<Merged, "provenance">, key: string): Provenance =>
  merged.provenance.get(key) ?? "default"
