import { keyPathText } from "../toml/KeyPath.ts"
import { isTable, type RawSettings } from "../toml/RawSettings.ts"
import { variableOf } from "./SettingsEnvironment.ts"

/** Where a value in force came from: the file means its top level, `file [projects.shop]` that table of it. */
export type Provenance =
  | "default"
  | "file"
  | `file [projects.${string}]`
  | `environment ${string}`
  | "command line"

/** What the command line sets, in the shape of the file, not yet looked at. */
export interface CommandLineSettings {
  readonly working_dir?: string
  readonly project?: string
  readonly model?: string
  readonly max_budget?: number
  readonly max_turns?: number
  readonly worker_command?: { readonly type: "Command"; readonly argv: ReadonlyArray<string> }
}

/** Settings from one source. */
export interface SettingsLayer {
  readonly raw: RawSettings
  /** Who set what stands at a dotted key. */
  readonly sourceOf: (key: string) => Provenance
}

/** The top level of the file. */
export const fileLayer = (raw: RawSettings): SettingsLayer => ({ raw, sourceOf: () => "file" })

/** One `[projects.NAME]` of the file. */
export const tableLayer = (name: string, raw: RawSettings): SettingsLayer => ({
  raw,
  sourceOf: () => `file [projects.${keyPathText([name])}]`
})

/** What environment variables set. */
export const environmentLayer = (raw: RawSettings): SettingsLayer => ({
  raw,
  sourceOf: (key) => `environment ${variableOf(key.split(".")) ?? key}`
})

/** What the command line sets. */
export const commandLineLayer = (raw: RawSettings): SettingsLayer => ({
  raw,
  sourceOf: () => "command line"
})

/** The settings that hold, and for each one that is set, by its dotted key, who set it. What is absent is default. */
export interface Merged {
  readonly raw: RawSettings
  readonly provenance: ReadonlyMap<string, Provenance>
}

/** Tables whose keys are set one by one. `worker_command` is one value: half of one and half of another start nothing. */
const mergedByKey: ReadonlyArray<string> = ["memory", "restart", "restart.on", "log", "history", "env"]

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

/** Settings laid over each other, setting by setting, the weakest source first. */
export const mergeLayers = (layers: ReadonlyArray<SettingsLayer>): Merged => ({
  raw: layers.reduce<RawSettings>((below, { raw }) => lay(below, raw), {}),
  provenance: new Map(
    layers.flatMap(({ raw, sourceOf }) => leaves(raw).map((key) => [key, sourceOf(key)] as const))
  )
})

/** Who set what stands at a dotted key. */
export const provenanceOf = (merged: Pick<Merged, "provenance">, key: string): Provenance =>
  merged.provenance.get(key) ?? "default"
