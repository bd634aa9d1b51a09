import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { metricHeads } from "../../../src/Domain/metrics/MetricFamilies.ts"
import { relayMetricHeads } from "../../../src/Domain/metrics/RelayMetrics.ts"
import { noProgram, unlessMissing } from "../../fixtures/Missing.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const root = resolve(import.meta.dirname, "../../..")
const folder = join(root, "examples/monitoring")
const rules = fs.readFileSync(join(folder, "rules.yml"), "utf8")
const dashboard = fs.readFileSync(join(folder, "dashboard.json"), "utf8")

const namesIn = (text: string): ReadonlyArray<string> => text.match(/\bautopilotd_\w+/g) ?? []

interface Panels {
  readonly panels: ReadonlyArray<{
    readonly title: string
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    readonly targets: ReadonlyArray<{ readonly expr: string }>
  }>
}

const { panels }: Panels = JSON.parse(dashboard)

const promtool = noProgram("promtool", "prometheus")

describe("the examples for monitoring", () => {
  it("name only metrics that exist", () => {
    const known = [...metricHeads, ...relayMetricHeads].map(({ name }) => name)
    for (const text of [rules, dashboard]) {
      const names = namesIn(text)
      assert.isAbove(names.length, 5)
      assert.deepStrictEqual(
        names.filter((name) => !known.includes(name)),
        []
      )
    }
  })

  it("have a dashboard whose panels ask for something, and do not overlap", () => {
    const cells = panels.flatMap(({ gridPos: { h, w, x, y }, title }) => {
      assert.isAtMost(x + w, 24, title)
      return Array.from({ length: w * h }, (_, at) => `${x + (at % w)}/${y + Math.floor(at / w)}`)
    })
    assert.strictEqual(new Set(cells).size, cells.length)
    for (const { targets, title } of panels) assert.isNotEmpty(targets, title)
  })

  unlessMissing(promtool)("have rules that do what they say: alerts, and the actions per minute", () =>
    Effect.sync(() => {
      const tests = join(root, "test/Domain/metrics/rules.test.yml")
      assert.include(execFileSync("promtool", ["test", "rules", tests], { encoding: "utf8" }), "SUCCESS")
      const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
      const tested = fs.readFileSync(tests, "utf8")
      assert.deepStrictEqual(
        alerts.filter((name) => !tested.includes(`alertname: ${name}`)),
        []
      )
    })
  )

  unlessMissing(promtool)("have a dashboard whose queries Prometheus understands", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryHome, "rules.yml")
      const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
      const groups = queries.map((expr, at) => ({
        record: `query_${at}`,
        expr: expr.replaceAll(/\$__(range|rate_interval)/g, "5m")
      }))
      // YAML reads JSON.
      fs.writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules: groups }] }))
      const told = execFileSync("promtool", ["check", "rules", file], { encoding: "utf8" })
      assert.include(told, `${queries.length} rules found`)
    })
  )
})
