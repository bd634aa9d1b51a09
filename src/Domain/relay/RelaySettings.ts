import * as Schema from "effect/Schema"
import type { EffectiveSettings } from "../settings/EffectiveSettings.ts"
import { perhaps } from "../Wire.ts"

/** A heartbeat that is switched on. */
export const Heartbeat = Schema.Struct({
  /** Absolute. */
  urlFile: Schema.String,
  intervalMs: Schema.Int
})
export type Heartbeat = typeof Heartbeat.Type

/** The part of the settings that a relay acts on. The daemon hands it to its relay as JSON. */
export const RelaySettings = Schema.Struct({ heartbeat: perhaps(Heartbeat) })
export type RelaySettings = typeof RelaySettings.Type

/** The settings that give a relay something to do, as a user sets them. */
export const relayKeys: ReadonlyArray<string> = ["heartbeat.url_file"]

/** What a relay has to do by these settings; undefined when that is nothing. */
export const relaySettingsOf = ({ heartbeat }: EffectiveSettings): RelaySettings | undefined =>
  heartbeat.urlFile === undefined
    ? undefined
    : { heartbeat: { urlFile: heartbeat.urlFile, intervalMs: heartbeat.intervalMs } }
