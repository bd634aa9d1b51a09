import type { ProjectName } from "../Project.ts"

/**
 * The variables with which Claude Code sends its own metrics by OTLP. They join those of the daemon: cumulative, because
 * Prometheus refuses differences; under the same `project`; and without the session, of which each start may make another.
 */
export const claudeTelemetry = (project: ProjectName): Readonly<Record<string, string>> => ({
  CLAUDE_CODE_ENABLE_TELEMETRY: "1",
  OTEL_METRICS_EXPORTER: "otlp",
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "cumulative",
  OTEL_METRICS_INCLUDE_SESSION_ID: "false",
  OTEL_RESOURCE_ATTRIBUTES: `project=${project}`
})
