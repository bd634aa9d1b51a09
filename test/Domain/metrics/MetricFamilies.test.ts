import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import { metricFamilies, metricHeads } from "../../../src/Domain/metrics/MetricFamilies.ts"
import { MetricsData } from "../../../src/Domain/metrics/MetricsData.ts"
import { metricsText } from "../../../src/Domain/metrics/MetricsText.ts"
import { relayMetricHeads } from "../../../src/Domain/metrics/RelayMetrics.ts"
import { Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import { initial } from "../../../src/Domain/worker/WorkerState.ts"
import { measured, metricsOf, phases, running } from "../../fixtures/Measurements.ts"
import { runs } from "../../fixtures/runs.ts"

const anyData = Arbitrary.make(MetricsData)

/** Names that a text format could stumble over, and some that are often equal. */
const hostileName = FastCheck.oneof(
  FastCheck.constantFrom('"', "\\", "\n", 'a"} 1\n# EOF', "\ud800", "\udfff", "\r", "\u2028", "ü", ""),
  FastCheck.fullUnicodeString(),
  FastCheck.string16bits()
)

const hostileData = FastCheck.tuple(anyData, FastCheck.array(hostileName), FastCheck.array(hostileName)).map(
  ([data, names, others]): MetricsData => ({
    ...data,
    daemon: { ...data.daemon, degraded: others },
    workers: names.flatMap((project) =>
      data.workers.map((worker) => ({
        ...worker,
        project,
        model: others[0] ?? "",
        limits: others.map((name) => ({ name, resets_at_ms: 1 }))
      }))
    )
  })
)

/** The samples of a text, as a reader of it would tell them apart: `name{label="value"}`. */
const seriesOf = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf(" ")))

const valueOf = (text: string, series: string): string | undefined =>
  text
    .split("\n")
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1)

describe("the families", () => {
  it("say that the daemon is down, and nothing else, without an answer of it", () => {
    const families = metricFamilies(undefined)
    assert.deepStrictEqual(
      families.map(({ name, samples }) => [name, samples]),
      [["autopilotd_up", [{ labels: [], value: 0 }]]]
    )
  })

  it("have every state and every verdict of each project from the first scrape on", () => {
    for (const [state, phase] of Object.entries(phases)) {
      const text = metricsText(metricsOf([measured("shop", { state: { ...initial, phase } })]), false)
      for (const other of Object.keys(phases)) {
        const series = `autopilotd_worker_state{project="shop",state="${other}"}`
        assert.strictEqual(valueOf(text, series), other === state ? "1" : "0", series)
      }
      for (const { fields } of Verdict.members) {
        const series = `autopilotd_worker_exits_total{project="shop",verdict="${fields.kind.literals[0]}"}`
        assert.strictEqual(valueOf(text, series), "0", series)
      }
    }
  })

  it("leave out what is not known: figures of a worker that does not run, of an agent that tells nothing", () => {
    const text = metricsText(metricsOf([measured("shop")]), false)
    assert.notMatch(text, /autopilotd_agent_|worker_start_time|worker_memory|worker_processes|last_output/)
    const live = metricsText(metricsOf([measured("shop", running())]), false)
    assert.strictEqual(valueOf(live, 'autopilotd_worker_memory_bytes{project="shop"}'), "4608")
    assert.strictEqual(valueOf(live, 'autopilotd_worker_last_output_time_seconds{project="shop"}'), "2")
    assert.strictEqual(valueOf(live, 'autopilotd_worker_own_cgroup{project="shop"}'), "1")
    assert.notInclude(live, "autopilotd_agent_")
  })

  it("never have two samples with equal labels, whatever the names are", () => {
    FastCheck.assert(
      FastCheck.property(hostileData, FastCheck.boolean(), (data, isOpenMetrics) => {
        // What a reader of the bytes sees.
        const text = Buffer.from(metricsText(data, isOpenMetrics)).toString("utf8")
        const series = seriesOf(text)
        assert.strictEqual(new Set(series).size, series.length)
      }),
      { numRuns: runs(50) }
    )
  })

  it("are one line each, whatever the names are", () => {
    const form =
      /^(# (HELP|TYPE|UNIT) [a-z_]+ .+|# EOF|[a-z_]+(\{[a-z_]+="(\\[\\n"]|[^"\\])*"(,[a-z_]+="(\\[\\n"]|[^"\\])*")*\})? [-+\w.]+)$/
    FastCheck.assert(
      FastCheck.property(hostileData, FastCheck.boolean(), (data, isOpenMetrics) => {
        const lines = metricsText(data, isOpenMetrics).split("\n")
        assert.strictEqual(lines.pop(), "")
        for (const line of lines) assert.match(line, form)
      }),
      { numRuns: runs(50) }
    )
  })

  it("have names that end in their unit, and in _total where they count", () => {
    for (const { help, kind, name, unit } of [...metricHeads, ...relayMetricHeads]) {
      const base = name.replace(/_total$/, "")
      assert.strictEqual(name !== base, kind === "counter", name)
      if (unit !== undefined) assert.isTrue(base.endsWith(`_${unit}`), name)
      assert.match(help, /^[A-Z].*\.$/, name)
    }
  })
})

describe("the text of OpenMetrics", () => {
  it("names a counter without _total, its samples with it, and ends with # EOF", () => {
    const text = metricsText(metricsOf([measured("shop")]), true)
    assert.include(
      text,
      "# TYPE autopilotd_daemon_cpu_seconds counter\n# UNIT autopilotd_daemon_cpu_seconds seconds\n"
    )
    assert.include(text, "\nautopilotd_daemon_cpu_seconds_total 1.25\n")
    assert.isTrue(text.endsWith("\n# EOF\n"))
  })
})
