import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import * as SettingsStore from "../../Layers/config/SettingsStore.ts"
import * as MemoryReader from "../../Layers/machine/MemoryReader.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import { sourcesOf } from "../Sources.ts"

/** Access to the settings file of an invocation, for when no daemon reads and writes it. */
export const settingsAccess = ({ options, ...invocation }: Invocation) => {
  // Here --project selects a table of the file; only for a start is it a setting itself.
  const { project: _, ...others } = options
  return Layer.unwrapEffect(
    Effect.map(sourcesOf({ ...invocation, options: others }), SettingsStore.layerOf)
  ).pipe(Layer.provide(Layer.merge(SettingsFile.layer, MemoryReader.layer)))
}
