import * as Schema from "effect/Schema"
import { aboutDaemon, optionalSetting, orOff, ruled, setting, Text } from "./Setting.ts"

/** A shorter interval is an attack on the service that receives it; a longer one than a day says nothing of a night. */
const HeartbeatInterval = Schema.Int.pipe(Schema.between(1000, 86_400_000))

/** The `[heartbeat]` table: a sign of life to a service that misses it. */
export const HeartbeatSettings = Schema.Struct({
  urlFile: optionalSetting("url_file", Text, {
    description:
      "File whose first line is the URL to call at each interval while the daemon answers: a check of healthchecks.io, or a push monitor of Uptime Kuma.",
    expects: "a path",
    unset: "no heartbeat",
    topLevelOnly: aboutDaemon
  }),
  intervalMs: setting("interval_ms", HeartbeatInterval, 60_000, {
    description: "Time between two heartbeats.",
    expects: "a whole number of milliseconds from 1000 to 86400000",
    topLevelOnly: aboutDaemon
  })
})
export type HeartbeatSettings = typeof HeartbeatSettings.Type

const Address = Schema.String.pipe(ruled("address"))

/** The URL of an OTLP receiver. Port 4317 is that of gRPC, which the relay does not speak; credentials stand in a file. */
const Receiver = Schema.String.pipe(
  Schema.pattern(/^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(\/[A-Za-z0-9._~%/-]*)?$/),
  ruled("url"),
  ruled("notGrpc")
)

const PushInterval = Schema.Int.pipe(Schema.between(1000, 3_600_000))

/** The `[metrics]` table: the ways of the metrics to a monitoring system. */
export const MetricsSettings = Schema.Struct({
  listen: setting("listen", orOff(Address), false, {
    description:
      "Address at which the relay serves /metrics for Prometheus, /healthz and /readyz. Whoever reaches it reads the names, states and costs of all projects, and changes nothing.",
    expects: 'false, or an address with its port such as "127.0.0.1:7421" or "[::1]:7421"',
    topLevelOnly: aboutDaemon
  }),
  tokenFile: optionalSetting("token_file", Text, {
    description: "File whose first line a request of /metrics must bring as its bearer token.",
    expects: "a path",
    unset: "no token is asked for",
    topLevelOnly: aboutDaemon
  }),
  otlp: setting("otlp", orOff(Receiver), false, {
    description:
      "URL of an OTLP receiver, such as an OpenTelemetry Collector, to which the relay sends all metrics. /v1/metrics is appended. OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS of the daemon's environment hold.",
    expects:
      'false, or a URL without credentials such as "http://127.0.0.1:4318"; port 4317 speaks gRPC, and the relay HTTP only',
    topLevelOnly: aboutDaemon
  }),
  otlpProtocol: setting("otlp_protocol", Schema.Literal("http/protobuf", "http/json"), "http/protobuf", {
    description: "Encoding of the metrics for the OTLP receiver.",
    expects: '"http/protobuf" or "http/json"',
    topLevelOnly: aboutDaemon
  }),
  otlpHeadersFile: optionalSetting("otlp_headers_file", Text, {
    description:
      "File of headers for the OTLP receiver, one `Name: value` a line, such as `Authorization: Bearer TOKEN`.",
    expects: "a path",
    unset: "no headers",
    topLevelOnly: aboutDaemon
  }),
  otlpIntervalMs: setting("otlp_interval_ms", PushInterval, 60_000, {
    description: "Time between two exports to the OTLP receiver.",
    expects: "a whole number of milliseconds from 1000 to 3600000",
    topLevelOnly: aboutDaemon
  }),
  agent: setting("agent", Schema.Boolean, false, {
    description:
      "Make Claude Code send its own metrics by OTLP, under the same project, to the receiver that OTEL_EXPORTER_OTLP_ENDPOINT names in its environment (without one, http://localhost:4318). Variables that the environment has already stay as they are.",
    expects: "true or false",
    topLevelOnly: aboutDaemon
  })
})
export type MetricsSettings = typeof MetricsSettings.Type
