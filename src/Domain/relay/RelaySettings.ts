import * as Schema from "effect/Schema"
import type { EffectiveSettings } from "../settings/EffectiveSettings.ts"
import { NotifySettings } from "../settings/NotifySettings.ts"
import { perhaps } from "../Wire.ts"

/** A heartbeat that is switched on. */
const Heartbeat = Schema.Struct({
  /** Absolute. */
  urlFile: Schema.String,
  intervalMs: Schema.Int
})
export type Heartbeat = typeof Heartbeat.Type

/** An endpoint for scrapes that is switched on. */
const Endpoint = Schema.Struct({
  /** Without the brackets of an IPv6 address. */
  host: Schema.String,
  port: Schema.Int,
  /** Absolute. */
  tokenFile: perhaps(Schema.String)
})
export type Endpoint = typeof Endpoint.Type

/** A push to an OTLP receiver that is switched on. */
const OtlpPush = Schema.Struct({
  url: Schema.String,
  protocol: Schema.Literal("http/protobuf", "http/json"),
  /** Absolute. */
  headersFile: perhaps(Schema.String),
  intervalMs: Schema.Int
})
export type OtlpPush = typeof OtlpPush.Type

/** The part of the settings that a relay acts on. The daemon hands it to its relay as JSON. */
export const RelaySettings = Schema.Struct({
  heartbeat: perhaps(Heartbeat),
  endpoint: perhaps(Endpoint),
  otlp: perhaps(OtlpPush),
  /** With at least one channel. */
  notify: perhaps(Schema.typeSchema(NotifySettings))
})
export type RelaySettings = typeof RelaySettings.Type

/** The settings that give a relay something to do, as a user sets them. */
export const relayKeys: ReadonlyArray<string> = [
  "heartbeat.url_file",
  "metrics.listen",
  "metrics.otlp",
  "notify.to"
]

const heartbeatOf = ({
  heartbeat: { intervalMs, urlFile }
}: EffectiveSettings): Pick<RelaySettings, "heartbeat"> =>
  urlFile === undefined ? {} : { heartbeat: { urlFile, intervalMs } }

const endpointOf = ({
  metrics: { listen, tokenFile }
}: EffectiveSettings): Pick<RelaySettings, "endpoint"> => {
  if (listen === false) return {}
  const at = listen.lastIndexOf(":")
  const host = listen.slice(0, at).replace(/^\[|\]$/g, "")
  const port = Number(listen.slice(at + 1))
  return { endpoint: { host, port, ...(tokenFile === undefined ? {} : { tokenFile }) } }
}

const otlpOf = ({ metrics }: EffectiveSettings): Pick<RelaySettings, "otlp"> => {
  const {
    otlp: url,
    otlpHeadersFile: headersFile,
    otlpIntervalMs: intervalMs,
    otlpProtocol: protocol
  } = metrics
  if (url === false) return {}
  return { otlp: { url, protocol, intervalMs, ...(headersFile === undefined ? {} : { headersFile }) } }
}

/** What a relay has to do by these settings; undefined when that is nothing. */
export const relaySettingsOf = (settings: EffectiveSettings): RelaySettings | undefined => {
  const { notify } = settings
  const wanted: RelaySettings = {
    ...heartbeatOf(settings),
    ...endpointOf(settings),
    ...otlpOf(settings),
    ...(Object.keys(notify.to).length === 0 ? {} : { notify })
  }
  return Object.keys(wanted).length === 0 ? undefined : wanted
}

/**
 * The tasks of a relay for the daemon of another machine; undefined without any. The heartbeat and the port of
 * `metrics.listen` are those of this machine's daemon.
 */
export const relaySettingsElsewhere = (
  settings: EffectiveSettings,
  metricsPort: number | undefined
): RelaySettings | undefined => {
  const { notify, otlp } = relaySettingsOf(settings) ?? {}
  const wanted: RelaySettings = {
    ...(metricsPort === undefined ? {} : { endpoint: { host: "127.0.0.1", port: metricsPort } }),
    ...(otlp === undefined ? {} : { otlp }),
    ...(notify === undefined ? {} : { notify })
  }
  return Object.keys(wanted).length === 0 ? undefined : wanted
}

/** Whether only programs of this machine reach an address. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)
