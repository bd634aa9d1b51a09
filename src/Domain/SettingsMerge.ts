import { isTable, type RawSettings } from "./RawSettings.ts"
import { variableOf } from "./SettingsEnvironment.ts"

/** Where a value in force came from. */
export type Provenance = "default" | "file" | `environment ${string}` | "command line"

/** What the command line sets, in the shape of the file, not yet looked at. */
export interface CommandLineSettings {
  readonly working_dir?: string
  readonly project?: string
  readonly model?: string
  readonly max_budget?: number
  readonly max_turns?: number
  readonly worker_command?: { readonly type: "Command"; readonly argv: ReadonlyArray<string> }
}

/** The three that set something, from the weakest to the strongest. */
export interface SettingsLayers {
  readonly file: RawSettings
  readonly environment: RawSettings
  readonly commandLine: RawSettings
}

/** The settings that hold, and for each one that is set, by its dotted key, who set it. What is absent is default. */
export interface Merged {
  readonly raw: RawSettings
  readonly provenance: ReadonlyMap<string, Provenance>
}

/** Tables whose keys are set one by one. `worker_command` is one value: half of one and half of another start nothing. */
const mergedByKey: ReadonlyArray<string> = ["memory", "restart", "env"]

const lay = (below: RawSettings, above: RawSettings): RawSettings => {
  const laid = Object.entries(above).map(([key, value]) => {
    const beneath = below[key]
    return mergedByKey.includes(key) && isTable(value) && isTable(beneath)
      ? [key, { ...beneath, ...value }]
      : [key, value]
  })
  return { ...below, ...Object.fromEntries(laid) }
}

const leaves = (raw: RawSettings): ReadonlyArray<string> =>
  Object.entries(raw).flatMap(([key, value]) =>
    mergedByKey.includes(key) && isTable(value) ? Object.keys(value).map((inner) => `${key}.${inner}`) : [key]
  )

/** The command line wins over the environment, that over the file: setting by setting. */
export const mergeSettings = (layers: SettingsLayers): Merged => ({
  raw: lay(lay(lay({}, layers.file), layers.environment), layers.commandLine),
  provenance: new Map<string, Provenance>([
    ...leaves(layers.file).map((key) => [key, "file"] as const),
    ...leaves(layers.environment).map(
      (key) => [key, `environment ${variableOf(key.split(".")) ?? key}`] as const
    ),
    ...leaves(layers.commandLine).map((key) => [key, "command line"] as const)
  ])
})

/** Who set what stands at a dotted key. */
export const provenanceOf = (merged: Pick<Merged, "provenance">, key: string): Provenance =>
  merged.provenance.get(key) ?? "default"
