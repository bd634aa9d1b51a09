import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { basename, join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { metricsText } from "../../../src/Domain/metrics/MetricsText.ts"
import { httpServer } from "../../fixtures/LocalServer.ts"
import { measured, metricsOf, running } from "../../fixtures/Measurements.ts"
import { noProgram, unlessMissing } from "../../fixtures/Missing.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"
import { command, eventually, launcher, ownProcess, run, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { addressOf, page, prometheusOf } from "./Prometheus.ts"

/** The values of the lines of a series, whatever its labels are. */
const valuesOf = (text: string, series: string): ReadonlyArray<number> =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`${series} `) || line.startsWith(`${series}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)))

const sum = (text: string, series: string): number =>
  valuesOf(text, series).reduce((total, value) => total + value, 0)

describe("autopilotd metrics", () => {
  it.scopedLive("counts what the agent does and how it exits, and says up 0 without a daemon", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const lines = recordedLines("claude-2.1.332/subagent")
      const unfinished = lines.filter((line) => !line.includes('"type":"result"'))
      fs.writeFileSync(join(home, "first"), `${unfinished.join("\n")}\n`)
      fs.writeFileSync(join(home, "second"), `${lines.join("\n")}\n`)
      const daemon = yield* startDaemon({
        home,
        settings: "[restart]\ninitial_backoff_ms = 50\n",
        // The first run crashes when it is told to; the second one finishes, and stays.
        worker: [
          "sh",
          "-c",
          'cd "$0"; if test -e first; then cat first; until test -e crash; do sleep 0.1; done; rm first; exit 7; fi; cat second; exec sleep 600',
          home
        ]
      })
      const read = (...options: ReadonlyArray<string>) =>
        Effect.map(command({ home, args: ["metrics", ...options] }), ({ code, stderr, stdout }) => {
          assert.deepStrictEqual([code, stderr], [0, ""])
          return stdout
        })
      const look = read()
      const first = yield* eventually(
        "the first run has acted",
        Effect.map(look, (text) => (sum(text, "autopilotd_agent_actions_total") > 0 ? text : undefined))
      )
      assert.deepStrictEqual(valuesOf(first, "autopilotd_up"), [1])
      assert.notInclude(first, "autopilotd_agent_cost_usd_total")
      fs.writeFileSync(join(home, "crash"), "")
      const second = yield* eventually(
        "the second run has acted",
        Effect.map(look, (text) =>
          sum(text, "autopilotd_worker_restarts_total") === 1 &&
          text.includes("autopilotd_agent_cost_usd_total")
            ? text
            : undefined
        )
      )
      assert.include(second, 'autopilotd_worker_exits_total{project="default",verdict="crash"} 1\n')
      assert.include(second, 'autopilotd_worker_state{project="default",state="running"} 1\n')
      for (const name of ["agent_actions", "agent_turns", "agent_tokens"])
        assert.isAbove(sum(second, `autopilotd_${name}_total`), sum(first, `autopilotd_${name}_total`), name)
      assert.match(yield* read("--openmetrics"), /\n# EOF\n$/)
      const answer = JSON.parse(yield* read("--json"))
      assert.deepStrictEqual(
        [answer.success, answer.message, answer.data.workers.length],
        [true, "Metrics of 1 project", 1]
      )

      yield* command({ home, args: ["stop"] })
      yield* daemon.ended
      const down = yield* command({ home, args: ["metrics"] })
      assert.strictEqual(down.code, 3)
      assert.match(down.stdout, /\nautopilotd_up 0\n$/)
      assert.include(down.stderr, "No daemon is listening on ")
    })
  )
})

describe("the file of autopilotd metrics --output", () => {
  unlessMissing(noProgram("prometheus-node-exporter"))(
    "is read by node_exporter, also without a daemon",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const file = join(home, "autopilotd.prom")
        const { stderr } = yield* run({
          home,
          command: "prometheus-node-exporter",
          args: [
            "--collector.disable-defaults",
            "--collector.textfile",
            `--collector.textfile.directory=${home}`,
            "--web.disable-exporter-metrics",
            "--web.listen-address=127.0.0.1:0"
          ]
        })
        const url = `http://${yield* addressOf(stderr)}/metrics`
        const wrote = { code: 0, signal: null, stdout: "", stderr: "" }

        const daemon = yield* startDaemon({ home, worker: ["sleep", "600"] })
        assert.deepStrictEqual(yield* command({ home, args: ["metrics", "--output", file] }), wrote)
        const up = yield* page(url)
        assert.deepStrictEqual(valuesOf(up, "node_textfile_scrape_error"), [0], up)
        assert.deepStrictEqual(valuesOf(up, "autopilotd_up"), [1], up)
        assert.deepStrictEqual(valuesOf(up, "autopilotd_worker_state").length, 7, up)

        yield* command({ home, args: ["stop"] })
        yield* daemon.ended
        assert.deepStrictEqual(yield* command({ home, args: ["metrics", "--output", file] }), wrote)
        const down = yield* page(url)
        assert.deepStrictEqual(valuesOf(down, "node_textfile_scrape_error"), [0], down)
        assert.deepStrictEqual(valuesOf(down, "autopilotd_up"), [0], down)
        assert.deepStrictEqual(valuesOf(down, "autopilotd_worker_state"), [], down)
      })
  )
})

describe("the timer of docs/metrics.md", () => {
  unlessMissing(noProgram("systemd-analyze", "systemd"))(
    "is one that systemd takes, and its command writes the file, with autopilotd_up 0 where no daemon runs",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const page = fs.readFileSync(resolve(import.meta.dirname, "../../../docs/metrics.md"), "utf8")
        const [, units = ""] = /^```ini\n(.*?)^```$/ms.exec(page) ?? []
        const file = join(home, "autopilotd.prom")
        const own = units
          .replace("%h/.autopilot/bin/autopilotd", launcher)
          .replace("/var/lib/prometheus/node-exporter/autopilotd.prom", file)
        // Each begins with a comment that names its file.
        const paths = own.split(/^# /m).flatMap((unit) => {
          const [name = "", ...lines] = unit.split("\n")
          if (name === "") return []
          fs.writeFileSync(join(home, basename(name)), lines.join("\n"))
          return [join(home, basename(name))]
        })
        assert.deepStrictEqual(
          paths.map((path) => basename(path)),
          ["autopilotd-metrics.service", "autopilotd-metrics.timer"]
        )
        const told = execFileSync("systemd-analyze", ["--user", "verify", ...paths], {
          encoding: "utf8",
          env: { ...process.env, XDG_RUNTIME_DIR: home },
          stdio: ["ignore", "pipe", "pipe"]
        })
        assert.strictEqual(told, "")
        const [, line = ""] = /^ExecStart=(.*)$/m.exec(own) ?? []
        const [program, ...args] = line.split(" ")
        assert.strictEqual(program, launcher)
        assert.strictEqual((yield* ownProcess({ home, args })).code, 0)
        assert.deepStrictEqual(valuesOf(fs.readFileSync(file, "utf8"), "autopilotd_up"), [0])
      })
  )
})

/** What Prometheus answers to a query: the labels and the value of each series. */
interface Answered {
  readonly data: {
    readonly result: ReadonlyArray<{
      readonly metric: Readonly<Record<string, string>>
      readonly value: readonly [number, string]
    }>
  }
}

describe("a scrape", () => {
  unlessMissing(noProgram("prometheus"))(
    "by a real Prometheus reads the same from both formats, hostile names and all",
    () =>
      Effect.gen(function* () {
        const names = ['a "quoted" name', "back\\slash", "new\nline", '{x="y"} 1', "ünïcode \u2028"]
        const agent = agentAfter(recordedLines("claude-2.1.332/subagent"))
        const data = metricsOf([measured("shop", running(agent)), measured("blog")], undefined, names)
        const server = yield* httpServer(({ url }, response) => {
          const isOpen = url === "/open"
          const type = isOpen
            ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
            : "text/plain; version=0.0.4; charset=utf-8"
          response.setHeader("content-type", type)
          response.end(metricsText(data, isOpen))
        })
        const job = (name: string) =>
          `  - job_name: ${name}\n    metrics_path: /${name}\n    static_configs:\n      - targets: ["127.0.0.1:${server.port}"]\n`
        const url = yield* prometheusOf(
          `global:\n  scrape_interval: 1s\nscrape_configs:\n${job("text")}${job("open")}`
        )
        const query = (text: string) =>
          Effect.map(page(`${url}/api/v1/query?query=${encodeURIComponent(text)}`), (body) => {
            const { data: found }: Answered = JSON.parse(body)
            return found.result
          })
        yield* eventually(
          "both targets are up",
          Effect.map(query("up"), (series) =>
            series.length === 2 && series.every(({ value }) => value[1] === "1") ? series : undefined
          )
        )
        const concerns = yield* query("autopilotd_degraded")
        for (const name of ["text", "open"])
          assert.sameMembers(
            concerns.flatMap(({ metric }) => (metric["job"] === name ? [metric["concern"]] : [])),
            names,
            name
          )
        const sums = yield* query('sum by (job, __name__) ({__name__=~"autopilotd_.+"})')
        const ofJob = (name: string) =>
          sums
            .filter(({ metric }) => metric["job"] === name)
            .map(({ metric, value }) => [metric["__name__"], value[1]])
        assert.sameDeepMembers(ofJob("text"), ofJob("open"))
        assert.isAbove(ofJob("text").length, 25)
      })
  )
})
