import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { freePort } from "../../fixtures/LocalServer.ts"
import { noProgram, unlessMissing } from "../../fixtures/Missing.ts"
import { command, eventually, killForSure, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { page, prometheusOf } from "./Prometheus.ts"

/** One series with its samples: the time in seconds, and the value. */
interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly values: ReadonlyArray<readonly [number, string]>
}

/** A Prometheus that scrapes an endpoint of autopilotd, and the samples that it has of a query. */
const scraperOf = Effect.fnUntraced(function* (port: number) {
  // Longer than the daemon's own limit, so that a scrape of one that hangs is answered.
  const url = yield* prometheusOf(`global: { scrape_interval: 2500ms, scrape_timeout: 2500ms }
scrape_configs:
  - job_name: autopilotd
    static_configs: [{ targets: ["127.0.0.1:${port}"] }]
`)
  const samples = (query: string) =>
    Effect.map(
      page(`${url}/api/v1/query?query=${encodeURIComponent(`${query}[10m]`)}`),
      (text): ReadonlyArray<Series> => JSON.parse(text).data.result
    )
  return { samples, own: page(`${url}/metrics`) }
})

/** The values without those that repeat the one before. */
const changesOf = (series: Series | undefined): ReadonlyArray<string> =>
  (series?.values ?? []).map(([, value]) => value).filter((value, at, all) => value !== all[at - 1])

describe("a Prometheus that scrapes the relay", () => {
  unlessMissing(noProgram("prometheus"))(
    "sees that the daemon hangs, dies and comes back, and neither a figure without a daemon nor a double one",
    () =>
      Effect.gen(function* () {
        const port = yield* freePort
        const start = {
          home: yield* temporaryHome,
          settings: `[metrics]\nlisten = "127.0.0.1:${port}"\n`,
          worker: ["/bin/sleep", "1000"]
        }
        const { pid } = yield* startDaemon(start)
        const { own, samples } = yield* scraperOf(port)
        const up = Effect.map(samples("autopilotd_up"), ([series]) => series)
        const sees = (...changes: ReadonlyArray<string>) =>
          eventually(
            `autopilotd_up is ${changes.join(", then ")}`,
            Effect.map(up, (series) => (changesOf(series).join() === changes.join() ? series : undefined))
          )
        yield* sees("1")
        process.kill(pid, "SIGSTOP")
        yield* sees("1", "0")
        process.kill(pid, "SIGCONT")
        yield* sees("1", "0", "1")
        // By now the relay is older than the ten seconds that it has after the death of its daemon.
        yield* eventually(
          "six scrapes",
          Effect.map(up, (series) => ((series?.values.length ?? 0) >= 6 ? true : undefined))
        )
        killForSure(pid)
        yield* sees("1", "0", "1", "0")
        yield* startDaemon(start)
        const last = yield* sees("1", "0", "1", "0", "1")

        // Each scrape that was answered says whether the daemon answers, and no other one does.
        const [scrapes] = yield* samples("up")
        const until = last.values.at(-1)?.[0] ?? 0
        const answered = (scrapes?.values ?? []).filter(([at, value]) => value === "1" && at <= until)
        assert.deepStrictEqual(
          answered.map(([at]) => at),
          last.values.map(([at]) => at)
        )
        // The daemon's figures are there when it answers, and at no other time.
        const answers = last.values.filter(([, value]) => value === "1").map(([at]) => at)
        for (const name of ["autopilotd_worker_restarts_total", 'autopilotd_worker_state{state="running"}']) {
          const all = yield* samples(name)
          assert.lengthOf(all, 1, name)
          assert.deepStrictEqual(
            all[0]?.values.map(([at]) => at).filter((at) => at <= until),
            answers,
            name
          )
        }
        // Its metrics count what it found wrong in a scrape.
        const wrong = (yield* own)
          .split("\n")
          .filter((line) =>
            /^prometheus_target_scrapes_(sample_(duplicate|out_of)|exceeded)\w* [^0]/.test(line)
          )
        assert.deepStrictEqual(wrong, [])
        yield* command({ home: start.home, args: ["stop"] })
      })
  )
})
