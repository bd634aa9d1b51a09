import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { chooseHogs } from "../../../src/Domain/guard/HogChoice.ts"
import { type HogRow, HogsData } from "../../../src/Domain/guard/HogsData.ts"
import { hogsData } from "../../../src/Domain/guard/HogsReport.ts"
import { hogsText } from "../../../src/Domain/guard/HogsText.ts"
import type { MemoryLook } from "../../../src/Domain/memory/MemoryLook.ts"
import { MemorySettings } from "../../../src/Domain/settings/MemorySettings.ts"
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
  reason: "large, and its name is one of hog_names"
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
      reason: 'left behind by a worker of "shop" that is gone'
    },
    hog
  ],
  would_spare: [
    { ...hog, pid: 100, kind: "worker", memory_bytes: 3 * GiB, reason: 'a part of the worker of "shop"' }
  ]
}

describe("what a person reads about hogs", () => {
  it("says that all is well, with the figures and settings that count", () => {
    assert.deepStrictEqual(hogsText(quiet).split("\n"), [
      "Memory is plentiful: 12 GiB of 32 GiB available. It is low below 2 GiB, critical",
      "below 1 GiB.",
      'The settings: hog_policy = "cause", hog_names = ["node"],',
      "node_kill_threshold_bytes is 500 MiB, dry_run = false.",
      "",
      "If memory were low now, nobody would be ended.",
      ""
    ])
  })

  it("lists who would be ended in their order, and who would not, each with its reason", () => {
    assert.deepStrictEqual(hogsText(busy).split("\n"), [
      "Memory is critical: 512 MiB of 32 GiB available by the cgroup",
      "/sys/fs/cgroup/box. It is low below 2 GiB, critical below 1 GiB.",
      'The settings: hog_policy = "cause", hog_names = ["node"],',
      "node_kill_threshold_bytes is 500 MiB, dry_run = true.",
      "As dry_run is set, the daemon would only tell of it in its log.",
      "",
      "Memory is critical: now, these would be ended, one after the other, until enough",
      "is available:",
      "   PID  NAME   MEMORY  WHY                                             COMMAND",
      '     9  mcp     1 MiB  left behind by a worker of "shop" that is gone  node server.js',
      "  4711  node  1.5 GiB  large, and its name is one of hog_names         node server.js",
      "",
      'If memory were critical and none of them left, the worker of "shop" would come',
      "next, which holds most: 3 GiB in 2 processes.",
      "",
      "These are large or lost too, and would not be ended:",
      "  PID  NAME  MEMORY  WHY                             COMMAND",
      '  100  node   3 GiB  a part of the worker of "shop"  node server.js',
      ""
    ])
  })

  it("lets no text of the answer drive the terminal or begin a line of its own", () => {
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

describe("what a program reads about hogs", () => {
  const look: MemoryLook = {
    reading: {
      availableBytes: 12 * GiB,
      totalBytes: 32 * GiB,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      boundBy: "/sys/fs/cgroup/box",
      stall: undefined
    },
    pressure: undefined,
    thresholds: { minAvailableBytes: 2 * GiB, criticalBytes: GiB },
    level: "plentiful"
  }
  const settings = Schema.decodeSync(MemorySettings)({})

  it("fits the protocol on any machine, has a reason for each, and leaves out who is gone", () => {
    FastCheck.assert(
      FastCheck.property(anyWorld, FastCheck.boolean(), (world, isCritical) => {
        const facts = scanned(world, settings.nodeKillThresholdBytes)
        const choice = chooseHogs(facts, world.workers, { ...settings, isCritical })
        const data = Schema.encodeSync(HogsData)(hogsData(choice, look, settings))
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
