import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { daemonFindings } from "../../../src/Domain/doctor/DaemonFindings.ts"
import {
  error,
  type Finding,
  findingsText,
  fine,
  hasErrors,
  summary,
  warning
} from "../../../src/Domain/doctor/Finding.ts"
import { type HomeFacts, homeFindings } from "../../../src/Domain/doctor/HomeFindings.ts"
import { memoryFindings } from "../../../src/Domain/doctor/MemoryFindings.ts"
import { oldestNode, processFindings, runtimeFinding } from "../../../src/Domain/doctor/RuntimeFindings.ts"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import type { StatusData } from "../../../src/Domain/status/StatusData.ts"
import { nothingAlive, type UnservedHome } from "../../../src/Domain/tree/UnservedHome.ts"
import { readingOf } from "../../fixtures/MemorySamples.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"

const GiB = 2 ** 30

/** The findings that are not well, as `level about`. */
const ills = (findings: ReadonlyArray<Finding>): ReadonlyArray<string> =>
  findings.filter(({ level }) => level !== "ok").map(({ about, level }) => `${level} ${about}`)

describe("the text of findings", () => {
  const findings = [
    fine("Node", "20.20.2, /usr/bin/node"),
    warning("Lingering", "It is off: the service ends when you log out.", "loginctl enable-linger"),
    error("Home", "/home/me/.autopilot cannot be written.", "chmod u+rwx /home/me/.autopilot")
  ]

  it("has one below the other, each with its fix below, and their number", () => {
    assert.strictEqual(
      findingsText(findings, { colour: false }),
      [
        "ok       Node       20.20.2, /usr/bin/node",
        "warning  Lingering  It is off: the service ends when you log out.",
        "                    -> loginctl enable-linger",
        "ERROR    Home       /home/me/.autopilot cannot be written.",
        "                    -> chmod u+rwx /home/me/.autopilot",
        "",
        "1 error and 1 warning.",
        ""
      ].join("\n")
    )
    assert.include(findingsText(findings, { colour: true }), "\u001b[31mERROR\u001b[0m    Home")
  })

  it("keeps a command of a cure on one line, so that it can be copied", () => {
    const command = "sudo mkdir -p /var/log/journal && sudo systemctl restart systemd-journald"
    const told = findingsText([warning("Journal", "No.", `Keep the journal on disk: ${command}`)], {
      colour: false
    })
    assert.include(told, `-> Keep the journal on disk:\n${" ".repeat(18)}${command}\n`)
  })

  it("wraps long texts, which cannot control the terminal", () => {
    const long = warning("Home", `${"word ".repeat(30)}\u001b[2J`, "cure it")
    const text = findingsText([long], { colour: false })
    assert.notInclude(text, "\u001b")
    assert.isAtMost(Math.max(...text.split("\n").map((line) => line.length)), 80)
  })

  it("ends with the number of errors and warnings", () => {
    assert.strictEqual(summary([fine("a", "b")]), "No problems were found.")
    assert.strictEqual(summary([warning("a", "b", "c"), warning("a", "b", "c")]), "2 warnings.")
    assert.strictEqual(hasErrors(findings), true)
    assert.strictEqual(hasErrors(findings.slice(0, 2)), false)
  })
})

describe("the runtime", () => {
  it("is too old below the version in package.json", () => {
    assert.strictEqual(
      JSON.parse(readFileSync("package.json", "utf8")).engines.node,
      `>=${oldestNode.replace(/\.0$/, "")}`
    )
  })

  it.each([
    ["v20.19.0", "ok"],
    ["20.20.2", "ok"],
    ["24.0.0", "ok"],
    ["20.18.9", "error"],
    ["18.99.0", "error"],
    ["9.0.0", "error"]
  ])("%s is %s", (version, level) => {
    assert.strictEqual(runtimeFinding({ version, path: "/n", platform: "linux" }).level, level)
  })

  it("must be Linux", () => {
    assert.strictEqual(runtimeFinding({ version: "24.0.0", path: "/n", platform: "darwin" }).level, "error")
  })
})

const failedRow: ProjectRow = {
  name: "shop",
  selected: true,
  worker_status: "failed",
  worker_pid: null,
  uptime_seconds: 0,
  total_restarts: 0,
  consecutive_failures: 1,
  memory_bytes: null,
  processes: null,
  autostart: true,
  reason: "no key"
}

describe("the home", () => {
  const well: HomeFacts = {
    path: "/home/me/.autopilot",
    folder: { mode: 0o40700, distrust: undefined, unwritable: undefined, isNetworkFileSystem: false },
    disk: { freeBytes: 10 * GiB, totalBytes: 100 * GiB },
    socketPath: "/home/me/.autopilot/autopilotd.sock",
    socketPathBytes: 35,
    maxSocketPathBytes: 107,
    hasSocket: true,
    leftFiles: []
  }
  const folder = { mode: 0o40700, distrust: undefined, unwritable: undefined, isNetworkFileSystem: false }
  const found = (change: Partial<HomeFacts>, isRunning = true) =>
    homeFindings({ ...well, ...change }, { isRunning, minFreeBytes: GiB / 4 })

  it("is well", () => {
    assert.deepStrictEqual(ills(found({})), [])
    assert.deepStrictEqual(ills(found({ folder: undefined, disk: undefined, hasSocket: false }, false)), [])
  })

  it.each<readonly [string, Partial<HomeFacts>, ReadonlyArray<string>]>([
    [
      "is another user's",
      { folder: { ...folder, distrust: { reason: "belongs to bob (uid 1001)", chmod: undefined } } },
      ["error Home"]
    ],
    [
      "cannot be written",
      { folder: { ...folder, unwritable: { reason: "full", advice: "Free it" } } },
      ["error Home"]
    ],
    ["is open to others", { folder: { ...folder, mode: 0o40755 } }, ["warning Home"]],
    ["is on another machine", { folder: { ...folder, isNetworkFileSystem: true } }, ["warning Home"]],
    ["has a path too long for a socket", { socketPathBytes: 108 }, ["error Socket"]],
    ["has hardly any disk left", { disk: { freeBytes: 2 ** 20, totalBytes: GiB } }, ["error Disk"]],
    ["has too little disk for logs", { disk: { freeBytes: GiB / 8, totalBytes: GiB } }, ["warning Disk"]]
  ])("%s", (_, change, wanted) => {
    assert.deepStrictEqual(ills(found(change)), wanted)
  })

  it("may have harmless files of a killed daemon", () => {
    const left = (change: Partial<HomeFacts>, isRunning: boolean) =>
      found(change, isRunning).flatMap(({ about, level, text }) =>
        about === "Leftovers" ? [level, text] : []
      )
    assert.include(left({}, false)[1], "autopilotd.sock")
    assert.include(left({ leftFiles: ["id.new"] }, true)[1], "id.new")
    assert.strictEqual(left({ leftFiles: ["id.new"] }, true)[0], "ok")
    assert.deepStrictEqual(left({}, true), [])
  })
})

describe("the memory", () => {
  const reading = readingOf(20 * GiB, { totalBytes: 24 * GiB })
  const thresholds = { minAvailableBytes: 2 * GiB, criticalBytes: GiB }
  const found = (change: Partial<typeof reading>, limits: ReadonlyArray<readonly [string, number]> = []) =>
    ills(memoryFindings({ ...reading, ...change }, [], thresholds, new Map(limits)))

  it("is plentiful", () => {
    assert.deepStrictEqual(found({}), [])
    assert.deepStrictEqual(found({}, [["shop", 4 * GiB]]), [])
  })

  it("is low already, or would be with an agent", () => {
    assert.deepStrictEqual(found({ availableBytes: GiB }), ["warning Memory"])
    assert.deepStrictEqual(found({ availableBytes: 2.5 * GiB }), ["warning Memory"])
  })

  it("is low before a worker reaches its limit", () => {
    assert.deepStrictEqual(found({}, [["shop", 23 * GiB]]), ["warning Memory"])
  })

  it("cannot be read", () => {
    const unusable = [{ path: "/proc/meminfo", reason: "gone", consequence: "Nothing is known" }]
    assert.deepStrictEqual(ills(memoryFindings(undefined, unusable, undefined, new Map())), [
      "warning Memory"
    ])
  })
})

describe("the daemon", () => {
  const status: StatusData = {
    ...statusFields,
    daemon_pid: 1,
    daemon_version: "1.0.0",
    degraded: [],
    projects: { running: 1 }
  }
  const found = (change: Partial<StatusData>) =>
    ills(daemonFindings({ _tag: "Running", status: { ...status, ...change } }, "1.0.0"))

  it("is well, running or not", () => {
    assert.deepStrictEqual(found({}), [])
    assert.deepStrictEqual(ills(daemonFindings({ _tag: "NotRunning", survivors: nothingAlive }, "1.0.0")), [])
    const trouble = {
      unit: "autopilotd",
      state: "activating (auto-restart)",
      isRetried: true,
      result: "exit-code",
      exit: "exit code 1",
      restarts: 2
    }
    const [looping] = daemonFindings(
      {
        _tag: "NotRunning",
        survivors: nothingAlive,
        service: { trouble, lastLines: ["x is not a setting."] }
      },
      "1.0.0"
    )
    assert.deepInclude(looping, {
      level: "error",
      text: "No daemon is running, because its service does not stay up. Its last lines: x is not a setting."
    })
  })

  it("is an error while workers run without supervision, or a process that does not answer has the lock", () => {
    const found = (survivors: UnservedHome) => daemonFindings({ _tag: "NotRunning", survivors }, "1.0.0")
    const alone = found({ daemonPid: undefined, workerPids: [12] })
    assert.deepStrictEqual(ills(alone), ["error Daemon"])
    assert.include(alone[0]?.text, "No daemon is running, but 1 process (pid 12) of its workers")
    assert.deepStrictEqual(ills(found({ daemonPid: 11, workerPids: [12] })), ["error Daemon"])
  })

  it("does not answer", () => {
    assert.deepStrictEqual(ills(daemonFindings({ _tag: "Unwell", reason: "No answer." }, "1.0.0")), [
      "error Daemon"
    ])
  })

  it("has workers that do not run, one with its reason", () => {
    const told = (change: Partial<StatusData>) =>
      daemonFindings({ _tag: "Running", status: { ...status, ...change } }, "1.0.0").flatMap(
        ({ about, level, text }) => (about === "Workers" ? [`${level}: ${text}`] : [])
      )
    assert.deepStrictEqual(
      told({ worker_status: "restarting", reason: "no claude", projects: { restarting: 1 } }),
      ["warning: 1 worker failed and will be restarted: no claude."]
    )
    assert.deepStrictEqual(
      told({ worker_status: "running", reason: "x", projects: { failed: 2, running: 1 } }),
      ["warning: 2 workers failed."]
    )
  })

  it("has a failed worker that stays so, or that recovery_cooldown_ms starts again", () => {
    const texts = (...rows: ReadonlyArray<Partial<ProjectRow>>) =>
      daemonFindings(
        { _tag: "Running", status, rows: rows.map((change) => ({ ...failedRow, ...change })) },
        "1.0.0"
      ).flatMap(({ about, text }) => (about === "Workers" ? [text] : []))
    assert.deepStrictEqual(texts({}, { name: "blog", next_start_at_ms: 5 }, { worker_status: "running" }), [
      "The worker of shop has failed and stays so until you act: no key.",
      "The worker of blog has failed and will be restarted: no key."
    ])
  })

  it("has another version, is degraded, or has a failed worker", () => {
    assert.deepStrictEqual(found({ daemon_version: "0.9.0" }), ["warning Daemon"])
    assert.deepStrictEqual(found({ degraded: ["memory guard"] }), ["error Daemon"])
    assert.deepStrictEqual(found({ degraded: ["relay"] }), ["warning Relay"])
    assert.deepStrictEqual(found({ degraded: ["relay: heartbeat", "memory guard"] }), [
      "error Daemon",
      "warning Relay"
    ])
    assert.deepStrictEqual(found({ projects: { running: 1, failed: 2 } }), ["warning Workers"])
  })
})

describe("the processes", () => {
  const seen = { foreign: undefined, daemonPid: 12, uncollected: 0 }

  it("are well where process 1 collects those that exit, or has not done so yet", () => {
    assert.deepStrictEqual(processFindings(seen), [])
    assert.deepStrictEqual(processFindings({ ...seen, daemonPid: undefined, uncollected: 9 }), [])
  })

  it("fill the table where nobody collects them: the daemon is process 1, or process 1 is no init", () => {
    for (const found of [
      processFindings({ ...seen, daemonPid: 1 }),
      processFindings({ ...seen, uncollected: 67 })
    ]) {
      assert.deepStrictEqual(ills(found), ["warning Processes"])
      assert.include(found[0]?.cure, "docker run --init")
    }
    assert.include(processFindings({ ...seen, uncollected: 67 })[0]?.text, "67 zombies")
  })

  it("cannot be seen in a foreign /proc", () => {
    assert.deepStrictEqual(ills(processFindings({ ...seen, foreign: "It is foreign." })), ["error Processes"])
  })
})
