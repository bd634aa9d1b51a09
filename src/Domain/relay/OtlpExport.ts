import * as Either from "effect/Either"
import type { MetricsData } from "../metrics/MetricsData.ts"
import { printable } from "../text/Printable.ts"

/** Where metrics go: https://opentelemetry.io/docs/specs/otlp/#otlphttp-request */
export const exportUrl = (receiver: string): URL => {
  const url = new URL(receiver)
  const path = url.pathname.replace(/\/+$/, "")
  url.pathname = path.endsWith("/v1/metrics") ? path : `${path}/v1/metrics`
  return url
}

type Headers = Readonly<Record<string, string>>

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headerValue = /^[\t\x20-\x7e]*$/

/** The headers of a file, one in each line. A Left continues a sentence that begins with the path, and has no value in it. */
export const headersIn = (text: string): Either.Either<Headers, string> => {
  const headers: Record<string, string> = {}
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const colon = line.indexOf(":")
    const name = line.slice(0, Math.max(0, colon)).trim()
    const value = line.slice(colon + 1).trim()
    if (!headerName.test(name) || !headerValue.test(value))
      return Either.left(`has no header in line ${at + 1}: write it as Name: value`)
    headers[name.toLowerCase()] = value
  }
  return Either.right(headers)
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The pairs of a variable of OpenTelemetry: `a=1,b=2`, percent-encoded. What is no pair is left out. */
const pairsIn = (text = ""): ReadonlyArray<readonly [string, string]> =>
  text.split(",").flatMap((pair) => {
    const equals = pair.indexOf("=")
    const name = pair.slice(0, Math.max(0, equals)).trim()
    return name === "" ? [] : [[decoded(name), decoded(pair.slice(equals + 1).trim())] as const]
  })

type Environment = Readonly<Record<string, string | undefined>>

/** The headers that the environment gives to all exporters. */
export const environmentHeaders = (environment: Environment): Headers =>
  Object.fromEntries(
    pairsIn(environment["OTEL_EXPORTER_OTLP_HEADERS"])
      .filter(([name, value]) => headerName.test(name) && headerValue.test(value))
      .map(([name, value]) => [name.toLowerCase(), value])
  )

/** What the metrics are about: https://opentelemetry.io/docs/specs/semconv/resource. Undefined data: no daemon has answered yet. */
export const resourceOf = (
  data: MetricsData | undefined,
  environment: Environment,
  hostName: string
): Readonly<Record<string, string>> => ({
  "host.name": hostName,
  ...(data === undefined
    ? {}
    : { "service.version": data.daemon.version, "service.instance.id": data.daemon.home_id }),
  ...Object.fromEntries(pairsIn(environment["OTEL_RESOURCE_ATTRIBUTES"])),
  "service.name": environment["OTEL_SERVICE_NAME"] || "autopilotd"
})

/** What a receiver has said to an export. */
interface ExportAnswer {
  readonly status: number
  /** The header Retry-After. */
  readonly retryAfter: string | undefined
  readonly isJson: boolean
  readonly body: Uint8Array
}

const maxLength = 200

/** Reads a varint. Returns its value and the offset behind it. */
const varintAt = (bytes: Uint8Array, start: number): readonly [number, number] => {
  let value = 0
  for (let at = start, factor = 1; at < bytes.length; at += 1, factor *= 128) {
    const byte = bytes[at] ?? 0
    value += (byte & 127) * factor
    if (byte < 128) return [value, at + 1]
  }
  return [value, bytes.length]
}

interface Refused {
  readonly points: number
  readonly message: string
}

/** `ExportMetricsServiceResponse`: field 1 is the partial success, in which 1 is the number of points and 2 the message. */
const partialInProtobuf = (body: Uint8Array): Refused | undefined => {
  if (body[0] !== 0x0a) return undefined
  let [, at] = varintAt(body, 1)
  let points = 0
  let message = ""
  while (at < body.length) {
    const tag = body[at]
    const [value, next] = varintAt(body, at + 1)
    if (tag === 0x08) points = value
    else if (tag === 0x12) message = new TextDecoder().decode(body.subarray(next, next + value))
    else break
    at = tag === 0x12 ? next + value : next
  }
  return { points, message }
}

const partialInJson = (body: Uint8Array): Refused | undefined => {
  try {
    const { partialSuccess } = JSON.parse(new TextDecoder().decode(body))
    if (typeof partialSuccess !== "object" || partialSuccess === null) return undefined
    return {
      points: Number(partialSuccess.rejectedDataPoints ?? 0) || 0,
      message: String(partialSuccess.errorMessage ?? "")
    }
  } catch {
    return undefined
  }
}

/**
 * What is wrong with an answer, as a clause; undefined where the receiver has taken all. `waitMs`: it asks for this pause
 * before the next export.
 */
export const exportProblem = ({
  body,
  isJson,
  retryAfter,
  status
}: ExportAnswer): { readonly problem: string; readonly waitMs?: number } | undefined => {
  if (status >= 200 && status < 300) {
    const refused = isJson ? partialInJson(body) : partialInProtobuf(body)
    if (refused === undefined || refused.points === 0) return undefined
    const why = refused.message === "" ? "" : `: ${printable(refused.message, maxLength)}`
    return { problem: `the receiver refuses ${refused.points} of the values${why}` }
  }
  if (status >= 300 && status < 400)
    return { problem: `the receiver redirects (status ${status}): set the address it redirects to` }
  if (status === 401 || status === 403)
    return { problem: `the receiver refuses access (status ${status}): see metrics.otlp_headers_file` }
  if (status === 404) return { problem: "there is no receiver of metrics at this URL (status 404)" }
  const seconds = Number(retryAfter)
  const mayPass = [429, 502, 503, 504].includes(status)
  return {
    problem: `the receiver answers with status ${status}`,
    ...(mayPass && retryAfter !== undefined && seconds > 0 ? { waitMs: Math.min(seconds, 3600) * 1000 } : {})
  }
}
