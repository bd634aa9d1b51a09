import { metricFamilies } from "../metrics/MetricFamilies.ts"
import type { MetricsData } from "../metrics/MetricsData.ts"
import { openMetricsText } from "../metrics/OpenMetricsText.ts"
import { prometheusText } from "../metrics/PrometheusText.ts"
import { type RelayCounts, relayFamilies, scrapeFamily } from "../metrics/RelayMetrics.ts"
import { isLoopback } from "./RelaySettings.ts"

/** A request for the endpoint, by the parts that decide. */
export interface EndpointRequest {
  readonly method: string
  /** Without its query. */
  readonly path: string
  readonly host: string | undefined
  readonly accept: string | undefined
}

export interface EndpointAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** The pages. Each shows something; none changes anything. */
type EndpointPage = "metrics" | "healthz" | "readyz" | "root"

const plain = "text/plain; charset=utf-8"
const prometheus = "text/plain; version=0.0.4; charset=utf-8"
const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"

const said = (status: number, text: string): EndpointAnswer => ({ status, type: plain, body: `${text}\n` })

const pages: ReadonlyMap<string, EndpointPage> = new Map([
  ["/metrics", "metrics"],
  ["/healthz", "healthz"],
  ["/readyz", "readyz"],
  ["/", "root"]
])

/** The name in a Host header, without its port and brackets. */
const nameIn = (host: string): string => host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")

/**
 * The page that a request is for, or the answer that refuses it. An endpoint that only this machine reaches is asked by a
 * name of this machine: any other is a web page in the user's browser that has its own name point here.
 */
export const pageOf = (request: EndpointRequest, listensOn: string): EndpointPage | EndpointAnswer => {
  if (request.method !== "GET" && request.method !== "HEAD")
    return said(405, "Only GET and HEAD: nothing can be changed here.")
  if (isLoopback(listensOn) && !isLoopback(nameIn(request.host ?? "localhost")))
    return said(403, "Ask by 127.0.0.1, ::1 or localhost: this address is for programs of this machine.")
  return pages.get(request.path) ?? said(404, "There are /metrics, /healthz and /readyz.")
}

interface MediaRange {
  readonly type: string
  readonly version: string | undefined
  readonly quality: number
}

const rangesIn = (accept: string): ReadonlyArray<MediaRange> =>
  accept.split(",").map((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase())
    const value = (name: string) =>
      parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
    return { type, version: value("version"), quality: Number(value("q") ?? 1) }
  })

/** Whether a reader prefers OpenMetrics 1.0.0 to the older text. */
export const prefersOpenMetrics = (accept: string | undefined): boolean => {
  const best = (ranges: ReadonlyArray<MediaRange>) => Math.max(0, ...ranges.map(({ quality }) => quality))
  const ranges = rangesIn(accept ?? "")
  const open = ranges.filter(
    ({ type, version = "1.0.0" }) => type === "application/openmetrics-text" && version === "1.0.0"
  )
  const text = ranges.filter(({ type }) => type === "text/plain" || type === "text/*")
  return best(open) > best(text)
}

/** What a scrape reads; undefined data: the daemon has not answered, which is an answer as well. */
export const metricsAnswer = (
  data: MetricsData | undefined,
  counts: RelayCounts,
  tookMs: number,
  accept: string | undefined
): EndpointAnswer => {
  const families = [...metricFamilies(data), ...relayFamilies(counts), scrapeFamily(tookMs / 1000)]
  return prefersOpenMetrics(accept)
    ? { status: 200, type: openMetrics, body: openMetricsText(families) }
    : { status: 200, type: prometheus, body: prometheusText(families) }
}

const silent = "The daemon does not answer."

/** Whether the daemon lives. No worker counts: a probe would end the daemon for the failure of one. */
export const healthAnswer = (data: MetricsData | undefined): EndpointAnswer =>
  data === undefined ? said(503, silent) : said(200, "ok")

/** Whether all is as it should be: the daemon answers, and no worker has failed or is being stopped. */
export const readyAnswer = (data: MetricsData | undefined): EndpointAnswer => {
  if (data === undefined) return said(503, silent)
  const bad = data.workers.find(({ state }) => state === "failed" || state === "stopping")
  if (bad === undefined) return said(200, "ok")
  return said(503, bad.state === "failed" ? "A worker has failed." : "A worker is stopping.")
}

/** A request without the token. */
export const noToken: EndpointAnswer = said(401, "The token of metrics.token_file is missing or wrong.")

/** The token cannot be read, so that nobody can have it. */
export const tokenUnknown: EndpointAnswer = said(503, "The token of this endpoint cannot be read.")

/** A bug in this program. */
export const bug: EndpointAnswer = said(500, "This is a bug in autopilotd: the relay has told its cause.")

/** For a person with a browser. */
export const rootAnswer: EndpointAnswer = {
  status: 200,
  type: "text/html; charset=utf-8",
  body: '<!doctype html><title>autopilotd</title><p>autopilotd: <a href="/metrics">metrics</a>, <a href="/healthz">healthz</a>, <a href="/readyz">readyz</a>\n'
}
