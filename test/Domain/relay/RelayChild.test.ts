import { assert, describe, it } from "@effect/vitest"
import { isForRelay, relayEnvironment } from "../../../src/Domain/relay/RelayChild.ts"
import { reportIn, reportLine } from "../../../src/Domain/relay/RelayReport.ts"

describe("the relay as a child of the daemon", () => {
  it("has neither the mark of a worker nor what is for the daemon alone, but the user's certificates", () => {
    const env = relayEnvironment(
      {
        HOME: "/home/u",
        PATH: "/bin",
        AUTOPILOT_HOME: "elsewhere",
        AUTOPILOT_WORKER_ID: "home:shop:1",
        NOTIFY_SOCKET: "/run/n",
        WATCHDOG_USEC: "1",
        AUTOPILOTD_NOFILE_SOFT: "1024",
        AUTOPILOTD_WORKER_NODE_EXTRA_CA_CERTS: "/etc/ca.pem",
        AUTOPILOTD_WORKER_NODE_OPTIONS: "--inspect"
      },
      "/home/u/.autopilot"
    )
    assert.deepStrictEqual(env, {
      HOME: "/home/u",
      PATH: "/bin",
      AUTOPILOT_HOME: "/home/u/.autopilot",
      NODE_EXTRA_CA_CERTS: "/etc/ca.pem",
      AUTOPILOTD_RELAY: "1",
      MALLOC_TRIM_THRESHOLD_: "131072"
    })
    assert.deepStrictEqual(Object.keys(env).filter(isForRelay).toSorted(), [
      "AUTOPILOTD_RELAY",
      "MALLOC_TRIM_THRESHOLD_"
    ])
    assert.deepInclude(relayEnvironment({ MALLOC_TRIM_THRESHOLD_: "1" }, "/"), {
      MALLOC_TRIM_THRESHOLD_: "1"
    })
  })

  it("tells the daemon of its outlets in lines, and other output is none", () => {
    const report = { outlet: "heartbeat", problem: "status 500\nand more" }
    const line = reportLine(report)
    assert.strictEqual(line.indexOf("\n"), line.length - 1)
    assert.deepStrictEqual(reportIn(line), report)
    assert.deepStrictEqual(reportIn('{"outlet":"otlp","more":1}'), { outlet: "otlp" })
    const long = JSON.stringify({ outlet: "o".repeat(101) })
    for (const other of ["", "hello", "{}", '{"outlet":""}', "null", '{"outlet":"o","problem":null}', long])
      assert.isUndefined(reportIn(other), other)
  })
})
