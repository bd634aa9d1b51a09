import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { chooseVictims } from "../../../src/Domain/guard/HogChoice.ts"
import { type HogRow, HogsData } from "../../../src/Domain/guard/HogsData.ts"
import { hogsData } from "../../../src/Domain/guard/HogsReport.ts"
import { hogsText } from "../../../src/Domain/guard/HogsText.ts"
import { MemorySettings } from "../../../src/Domain/settings/MemorySettings.ts"
import { sampleOf } from "../../fixtures/MemorySamples.ts"
import { anyWorld, scanned } from "../machine/processWorlds.ts"

const GiB = 2 ** 30

const quiet: HogsData = {
  memory_level: "plentiful",
  memory_available_bytes: 12 * GiB,
  memory_total_bytes: 32 * GiB,
  memory_min_available_bytes: 2 * GiB,
  memory_critical_threshold_bytes: GiB,
  hog_policy: "cause",
  hog_names: ["node"],
  node_kill_threshold_bytes: 500 * 2 ** 20,
  dry_run: false,
  workers: [],
  would_end: [],
  would_spare: []
}

const hog: HogRow = {
  pid: 4711,
  name: "node",
  command: "node server.js",
  memory_bytes: 1.5 * GiB,
  swap_bytes: 0,
  kind: "hog",
  reason: "large, and its name is in hog_names"
}

const busy: HogsData = {
  ...quiet,
  memory_level: "critical",
  memory_available_bytes: 512 * 2 ** 20,
  memory_bound_by: "/sys/fs/cgroup/box",
  dry_run: true,
  workers: [
    { project: "shop", memory_bytes: 3 * GiB, processes: 2 },
    { project: "blog", memory_bytes: 1, processes: 1 }
  ],
  would_end: [
    {
      ...hog,
      pid: 9,
      name: "mcp",
      kind: "leftover",
      memory_bytes: 2 ** 20,
      reason: 'left behind by an earlier worker of "shop"'
    },
    hog
  ],
  would_spare: [
    { ...hog, pid: 100, kind: "worker", memory_bytes: 3 * GiB, reason: 'a part of the worker of "shop"' }
  ]
}

describe("the text of autopilotd hogs", () => {
  it("shows the figures and settings when there is nothing to kill", () => {
    assert.deepStrictEqual(hogsText(quiet).split("\n"), [
      "Memory is plentiful: 12 GiB of 32 GiB available. It is low below 2 GiB, critical",
      "below 1 GiB.",
      'Settings: hog_policy = "cause", hog_names = ["node"], dry_run = false,',
      "node_kill_threshold_bytes = 500 MiB.",
      "",
      "If memory were low now, the daemon would kill nothing.",
      ""
    ])
  })

  it("lists the processes to kill in order, and those to spare, each with its reason", () => {
    assert.deepStrictEqual(hogsText(busy).split("\n"), [
      "Memory is critical: 512 MiB of 32 GiB available, limited by the cgroup",
      "/sys/fs/cgroup/box. It is low below 2 GiB, critical below 1 GiB.",
      'Settings: hog_policy = "cause", hog_names = ["node"], dry_run = true,',
      "node_kill_threshold_bytes = 500 MiB.",
      "With dry_run = true the daemon only logs what it would do.",
      "",
      "Memory is critical. The daemon would kill these processes, one after the other,",
      "until enough is available:",
      "   PID  NAME   MEMORY  WHY                                         COMMAND",
      '     9  mcp     1 MiB  left behind by an earlier worker of "shop"  node server.js',
      "  4711  node  1.5 GiB  large, and its name is in hog_names         node server.js",
      "",
      "If memory were critical and none of these were left, the daemon would restart",
      'the largest worker, of "shop": 3 GiB in 2 processes.',
      "",
      "It would spare these, although they are large or were started by a worker:",
      "  PID  NAME  MEMORY  WHY                             COMMAND",
      '  100  node   3 GiB  a part of the worker of "shop"  node server.js',
      ""
    ])
  })

  it("fits a terminal of 80 columns: it cuts reason and command, and no figure", () => {
    const wide = { ...hog, command: "node ".repeat(30), reason: "a reason ".repeat(12) }
    const lines = hogsText(
      { ...quiet, would_end: [wide], would_spare: [{ ...wide, kind: "worker" }] },
      80
    ).split("\n")
    for (const line of lines) assert.isAtMost(line.length, 80, line)
    assert.lengthOf(
      lines.filter((line) => /^ {2}4711 {2}node {2}1\.5 GiB {2}a reason .*… {2}node .*…$/.test(line)),
      2
    )
    assert.isAbove(
      Math.max(
        ...hogsText({ ...quiet, would_end: [wide] })
          .split("\n")
          .map((line) => line.length)
      ),
      120
    )
  })

  it("lets no text of the answer drive the terminal or begin a line", () => {
    const hostile = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.constantFrom("\u001b]0;owned\u0007", "a\nb", "\u202egnp.exe")
    )
    FastCheck.assert(
      FastCheck.property(hostile, hostile, hostile, (name, command, reason) => {
        const text = hogsText({ ...quiet, would_end: [{ ...hog, name, command, reason }], hog_names: [name] })
        assert.notMatch(text, /[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/u)
        assert.include(text.split("\n").at(-2), "4711")
      })
    )
  })
})

describe("the data of autopilotd hogs", () => {
  const sample = sampleOf(12 * GiB, { boundBy: "/sys/fs/cgroup/box" })
  const settings = Schema.decodeSync(MemorySettings)({})

  it("fits the protocol on any machine, has a reason for each process, and omits those that are gone", () => {
    FastCheck.assert(
      FastCheck.property(anyWorld, FastCheck.boolean(), (world, isCritical) => {
        const facts = scanned(world, settings.nodeKillThresholdBytes)
        const choice = chooseVictims(facts, world.workers, { ...settings, isCritical })
        const data = Schema.encodeSync(HogsData)(hogsData(choice, sample, settings))
        assert.strictEqual(data.would_end.length, choice.victims.length)
        assert.strictEqual(
          data.would_spare.length,
          choice.spared.filter(({ because }) => because._tag !== "Gone").length
        )
        for (const { name, reason } of [...data.would_end, ...data.would_spare]) {
          assert.isNotEmpty(name)
          assert.isNotEmpty(reason)
          assert.notMatch(reason, /undefined|\[object/)
        }
        assert.strictEqual(data.memory_bound_by, "/sys/fs/cgroup/box")
      })
    )
  })
})
