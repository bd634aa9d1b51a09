import { assert, describe, it } from "@effect/vitest"
import {
  fleetFindingsText,
  fleetProblems,
  fleetText,
  type HostProblem,
  type HostSight,
  hostPrefix,
  type Snapshot
} from "../../../src/Domain/fleet/FleetText.ts"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import { clockTime } from "../../../src/Layers/output/ClockTime.ts"
import { runningRow as row } from "../../fixtures/ProjectRows.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"

const seen = (at: number, ...projects: ReadonlyArray<ProjectRow>): Snapshot => ({
  type: "snapshot",
  at,
  status: { ...statusFields, memory_available_bytes: 8 * 2 ** 30 },
  projects: { selected: "shop", projects }
})

const refused: HostProblem = { code: "host_unreachable", reason: "Host lab cannot be reached.\nTry ssh." }

const table = (sights: ReadonlyArray<HostSight<Snapshot>>, colour = false) =>
  fleetText(sights, { clockTime, colour }).split("\n")

describe("the table of several machines", () => {
  it("has a line for each project, the free memory once a host, and a host that does not answer", () => {
    const waiting: ProjectRow = {
      ...row,
      name: "b",
      worker_status: "waiting",
      worker_pid: null,
      memory_bytes: null,
      reason: "the usage limit is reached",
      // Compared with the clock of the host, which is wrong by hours.
      next_start_at_ms: 5_012_000
    }
    assert.deepStrictEqual(
      table([
        { name: "local", seen: seen(1_000_000, row) },
        { name: "box", seen: seen(5_000_000, { ...row, name: "a" }, waiting) },
        { name: "lab", seen: refused },
        { name: "new", seen: { code: "no_daemon", reason: "No daemon runs." } }
      ]),
      [
        "HOST   PROJECT  STATE        UPTIME       MEMORY   FREE  WHY",
        "local  shop     running      2 h 03 min  512 MiB  8 GiB",
        "box    a        running      2 h 03 min  512 MiB  8 GiB",
        "box    b        waiting      -                 -         the usage limit is reached; next start in 12 seconds",
        "lab    -        unreachable  -                 -         Host lab cannot be reached. Try ssh.",
        "new    -        no daemon    -                 -         No daemon runs.",
        ""
      ]
    )
  })

  it("shows the colours of hosts.toml, and none without a terminal", () => {
    const sights = [{ name: "box", color: "magenta" as const, seen: seen(1, row) }]
    assert.include(table(sights, true)[1], "\u001b[35mbox\u001b[0m")
    assert.notInclude(table(sights).join(), "\u001b")
  })

  it("takes what comes from another machine for hostile text", () => {
    const evil = "\u001b[2J\u202e\nroot  -  running"
    const hostile: ProjectRow = { ...row, name: evil, worker_status: "failed", reason: evil }
    const lines = table([
      { name: "box", seen: seen(1, hostile) },
      { name: "lab", seen: { code: "bad_answer", reason: evil } }
    ])
    assert.lengthOf(lines, 4)
    assert.notMatch(lines.join(""), /[\p{Cc}\p{Cf}]/u)
    const problems = fleetProblems([{ name: "lab", seen: { code: "bad_answer", reason: evil } }])
    assert.strictEqual(problems?.split("\n").length, 2)
    const finding = { about: evil, level: "error" as const, text: evil, cure: evil }
    const findings = fleetFindingsText([{ name: "box", seen: { findings: [finding] } }], { colour: false })
    assert.notMatch(findings.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u)
    assert.notMatch(findings, /^root/m)
  })
})

describe("the hosts that do not answer", () => {
  it("are counted, each with its reason in one line", () => {
    assert.isUndefined(fleetProblems([{ name: "box", seen: seen(1) }]))
    assert.strictEqual(
      fleetProblems([
        { name: "box", seen: seen(1) },
        { name: "lab", seen: refused }
      ]),
      "1 of 2 hosts did not answer.\nlab: Host lab cannot be reached. Try ssh."
    )
  })
})

describe("the findings of several machines", () => {
  it("are those that are not fine, below the name of the host", () => {
    const fine = { about: "Node", level: "ok" as const, text: "v20" }
    const bad = { about: "Disk", level: "error" as const, text: "It is full.", cure: "Make room." }
    assert.strictEqual(
      fleetFindingsText(
        [
          { name: "box", seen: { findings: [fine, bad] } },
          { name: "lab", seen: { findings: [fine] } },
          { name: "new", seen: refused }
        ],
        { colour: false }
      ),
      "box\nERROR  Disk  It is full.\n             -> Make room.\n\n1 error.\n\nlab\nNo problems were found.\n\nnew\nHost lab cannot be reached. Try ssh.\n"
    )
  })
})

describe("the name before an event", () => {
  it("is as wide as the widest", () => {
    const hosts = [{ name: "a" }, { name: "long", color: "green" as const }]
    assert.deepStrictEqual(
      hosts.map((host) => hostPrefix(host, hosts, false)),
      ["a    | ", "long | "]
    )
    assert.strictEqual(
      hostPrefix({ name: "long", color: "green" }, hosts, true),
      "\u001b[32mlong\u001b[0m | "
    )
  })
})
