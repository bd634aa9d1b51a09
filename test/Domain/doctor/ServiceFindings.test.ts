import { assert, describe, it } from "@effect/vitest"
import type { Finding } from "../../../src/Domain/doctor/Finding.ts"
import {
  type DaemonSight,
  type ServiceFacts,
  serviceFindings
} from "../../../src/Domain/doctor/ServiceFindings.ts"
import { workerFindings } from "../../../src/Domain/doctor/WorkerFindings.ts"
import { systemdProperties } from "../../../src/Domain/systemd/SystemctlShow.ts"

const shown = `LoadState=loaded
ActiveState=active
Result=success
UnitFileState=enabled
MainPID=40
NeedDaemonReload=no
Delegate=yes
MemoryHigh=infinity
MemoryMax=infinity
ExecStart={ path=/x ; argv[]=/x start }
`

const well: ServiceFacts = {
  daemonUnit: {
    path: "/home/me/.config/systemd/user/autopilotd.service",
    fault: undefined,
    properties: systemdProperties(shown)
  },
  panelUnit: undefined,
  launcherPath: "/home/me/.autopilot/bin/autopilotd",
  launcherBroken: undefined,
  launcherFault: undefined,
  launcherWrittenMs: 1_000_000,
  lingers: true,
  journalProblem: undefined
}

const running: DaemonSight = { pid: 40, startedMs: 1_500_000, containment: "cgroup" }

const ills = (findings: ReadonlyArray<Finding>): ReadonlyArray<string> =>
  findings.filter(({ level }) => level !== "ok").map(({ about, level }) => `${level} ${about}`)

const found = (change: Partial<ServiceFacts>, daemon: DaemonSight = running) =>
  ills(serviceFindings({ _tag: "Installed", facts: { ...well, ...change } }, daemon))

const showing = (properties: Readonly<Record<string, string>>) => ({
  daemonUnit: {
    ...well.daemonUnit,
    properties: new Map([...well.daemonUnit.properties, ...Object.entries(properties)])
  }
})

describe("the service", () => {
  it("is well, installed or not", () => {
    assert.deepStrictEqual(found({}), [])
    assert.deepStrictEqual(
      ills(serviceFindings({ _tag: "NotInstalled" }, { pid: 7, startedMs: 0, containment: "tree" })),
      []
    )
    const without = (reason: string) => serviceFindings({ _tag: "NoManager", reason }, running)
    assert.deepStrictEqual(
      without("None was found. Run: loginctl enable-linger me").map(({ level, text }) => `${level} ${text}`),
      [
        "ok None was found. Run: loginctl enable-linger me. Without it, run the daemon in a terminal or with autopilotd start --detach."
      ]
    )
    const reason = "There is no systemctl. Without systemd, autopilotd start --detach runs the daemon."
    assert.deepInclude(without(reason)[0], { level: "ok", text: reason })
    assert.strictEqual(well.daemonUnit.properties.get("ExecStart"), "{ path=/x ; argv[]=/x start }")
  })

  it.each<readonly [string, Partial<ServiceFacts>, ReadonlyArray<string>]>([
    [
      "has a unit that was changed",
      { daemonUnit: { ...well.daemonUnit, fault: "was changed by hand" } },
      ["warning Service"]
    ],
    [
      "has a launcher whose Node is gone",
      { launcherBroken: "starts /n, which is gone", launcherFault: "x" },
      ["error Service"]
    ],
    [
      "has a launcher of another version",
      { launcherFault: "starts another autopilotd" },
      ["warning Service"]
    ],
    ["runs with what was installed before", { launcherWrittenMs: 1_600_000 }, ["warning Service"]],
    ["is masked", showing({ LoadState: "masked" }), ["error Service"]],
    ["has a unit that systemd cannot read", showing({ LoadState: "bad-setting" }), ["error Service"]],
    ["has a unit that systemd has not read yet", showing({ NeedDaemonReload: "yes" }), ["warning Service"]],
    ["does not start with the machine", showing({ UnitFileState: "disabled" }), ["warning Service"]],
    ["ends with the session", { lingers: false }, ["warning Lingering"]],
    [
      "has a journal nobody can read",
      { journalProblem: "No journal files were found." },
      ["warning Journal"]
    ],
    ["shares a limit with its workers", showing({ MemoryMax: "536870912" }), ["warning Cgroup"]],
    ["is slowed down with its workers", showing({ MemoryHigh: "536870912" }), ["warning Cgroup"]],
    ["has no groups for its workers", showing({ Delegate: "no" }), ["warning Cgroup"]]
  ])("%s", (_, change, wanted) => {
    assert.deepStrictEqual(found(change), wanted)
  })

  it("does not run, or failed", () => {
    const none = { pid: undefined, startedMs: undefined, containment: undefined }
    assert.deepStrictEqual(found(showing({ ActiveState: "inactive", MainPID: "0" }), none), [
      "warning Service"
    ])
    assert.deepStrictEqual(
      found(showing({ ActiveState: "failed", Result: "start-limit-hit", MainPID: "0" }), none),
      ["error Service"]
    )
  })

  it("has a panel, which is no service, runs, or failed", () => {
    const said = (panelUnit: ServiceFacts["panelUnit"]) =>
      serviceFindings({ _tag: "Installed", facts: { ...well, panelUnit } }, running).filter(
        ({ about }) => about === "Panel"
      )
    assert.deepStrictEqual(
      said(undefined).map(({ text }) => text),
      ["Not a service: autopilotd gui serves it in a terminal. To serve it always: autopilotd install --gui"]
    )
    assert.deepStrictEqual(
      said(well.daemonUnit).map(({ level, text }) => `${level} ${text}`),
      ["ok It is active and enabled."]
    )
    const failed = showing({ ActiveState: "failed", Result: "exit-code", MainPID: "0" }).daemonUnit
    assert.deepStrictEqual(
      said({ ...failed, fault: "was changed by hand" }).map(({ cure, level }) => [level, cure]),
      [
        [
          "warning",
          "Run: autopilotd install --gui. Keep changes of your own in a drop-in: systemctl --user edit autopilotd-gui"
        ],
        [
          "error",
          "Read journalctl --user -u autopilotd-gui -n 30, then: systemctl --user restart autopilotd-gui"
        ]
      ]
    )
  })

  it("cannot start beside a daemon that the user started", () => {
    const other = { pid: 41, startedMs: 1_500_000, containment: "tree" } as const
    const sight = {
      _tag: "Installed",
      facts: { ...well, ...showing({ ActiveState: "failed", MainPID: "0" }) }
    } as const
    const told = serviceFindings(sight, other).filter(({ about }) => about === "Service")
    assert.deepStrictEqual(
      told.map(({ level }) => level),
      ["warning"]
    )
    assert.include(told[0]?.text, "pid 41")
  })

  it("has a worker outside of its cgroup", () => {
    assert.deepStrictEqual(found({}, { ...running, containment: "tree" }), ["warning Cgroup"])
  })
})

describe("a worker", () => {
  const facts = {
    project: "shop",
    command: "claude",
    problem: undefined,
    envProblem: undefined,
    envWarnings: [],
    promptProblem: undefined,
    pathOf: "service"
  } as const

  it("is well", () => {
    assert.deepStrictEqual(ills(workerFindings(facts)), [])
  })

  it("has no prompt file: its work could not begin", () => {
    const promptProblem = "its prompt cannot be read: /code/shop/PROMPT.md does not exist"
    const [, finding] = workerFindings({ ...facts, promptProblem })
    assert.deepInclude(finding, {
      level: "error",
      text: '"shop" cannot begin a work: its prompt cannot be read: /code/shop/PROMPT.md does not exist.'
    })
  })

  it("has no program, or no env file", () => {
    assert.deepStrictEqual(ills(workerFindings({ ...facts, problem: "there is none" })), ["error Worker"])
    assert.deepStrictEqual(
      ills(workerFindings({ ...facts, envProblem: "It cannot be read.", envWarnings: ["line 3"] })),
      ["error Env file", "warning Env file"]
    )
  })

  it("is looked up on the service's or the shell's PATH, which the fix names", () => {
    const cureOf = (pathOf: "service" | "shell") =>
      workerFindings({ ...facts, pathOf, problem: "gone", missing: "program" })[0]?.cure
    assert.include(cureOf("service"), "autopilotd install")
    assert.notInclude(cureOf("shell"), "autopilotd install")
    const [folder] = workerFindings({ ...facts, problem: "no folder /x", missing: "folder" })
    assert.strictEqual(folder?.cure, "Create it, or correct working_dir")
  })
})
