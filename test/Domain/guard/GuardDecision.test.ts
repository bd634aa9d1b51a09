import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  decide,
  type GuardSight,
  hogGraceMs,
  type Signalled
} from "../../../src/Domain/guard/GuardDecision.ts"
import type { Victim } from "../../../src/Domain/guard/HogChoice.ts"
import { memoryLook } from "../../../src/Domain/memory/MemoryLook.ts"
import { blog, MiB, shop } from "../machine/processWorlds.ts"

const thresholds = { minAvailableBytes: 2000 * MiB, criticalBytes: 1000 * MiB }

const lookAt = (availableBytes: number) =>
  memoryLook(
    {
      availableBytes,
      totalBytes: 16_000 * MiB,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      boundBy: undefined,
      stall: undefined
    },
    undefined,
    thresholds
  )

const victim = (pid: number, startTicks = 1): Victim => ({
  pid,
  startTicks,
  heldBytes: MiB,
  swapBytes: 0,
  name: "node",
  argv: [],
  because: { _tag: "Hog" }
})

const running = { criticalRestart: "always" as const, startedMs: 0, isEnding: false }

const critical: GuardSight = {
  look: lookAt(500 * MiB),
  choice: {
    victims: [],
    spared: [],
    holdings: [
      { project: shop, heldBytes: 900 * MiB, processes: 3 },
      { project: blog, heldBytes: 100 * MiB, processes: 1 }
    ]
  },
  workers: [
    { project: shop, ...running },
    { project: blog, ...running }
  ],
  shortage: { sinceMs: 100, restarted: undefined },
  signalled: new Map()
}

const told = (sight: GuardSight): string => {
  const decision = decide(sight)
  switch (decision._tag) {
    case "EndHog":
      return `${decision.signal} ${decision.victim.pid}`
    case "RestartWorker":
      return `restart ${decision.holding.project}`
    case "Await":
      return "await"
    case "Hasten":
      return `hasten ${decision.project}`
    case "Nobody":
      return `nobody: ${decision.why}`
  }
}

const withVictims = (...victims: ReadonlyArray<Victim>) => ({ choice: { ...critical.choice, victims } })
const asked = (pid: number, stage: Signalled["stage"], startTicks = 1) => ({
  signalled: new Map([[pid, { startTicks, stage }]])
})
const restarted = (project = shop) => ({ shortage: { sinceMs: 100, restarted: { project, atMs: 200 } } })

const table: ReadonlyArray<readonly [what: string, changed: Partial<GuardSight>, decision: string]> = [
  ["a hog before any worker", withVictims(victim(1), victim(2)), "SIGTERM 1"],
  ["KILL for one that was asked before", { ...withVictims(victim(1)), ...asked(1, "asked") }, "SIGKILL 1"],
  [
    "TERM for another process with its pid",
    { ...withVictims(victim(1, 2)), ...asked(1, "survived") },
    "SIGTERM 1"
  ],
  [
    "the next one when one survives KILL",
    { ...withVictims(victim(1), victim(2)), ...asked(1, "survived") },
    "SIGTERM 2"
  ],
  ["a worker when all hogs survive", { ...withVictims(victim(1)), ...asked(1, "survived") }, "restart shop"],
  ["the worker that holds most", {}, "restart shop"],
  ["no worker while memory is only low", { look: lookAt(1500 * MiB) }, "nobody: not-critical"],
  [
    "no worker at low memory either when all hogs survive",
    { look: lookAt(1500 * MiB), ...withVictims(victim(1)), ...asked(1, "survived") },
    "nobody: survivors"
  ],
  [
    "no second worker while the first is being ended",
    { workers: [{ project: shop, ...running, isEnding: true }] },
    "await"
  ],
  [
    "no more time for the worker that is being ended for it, once memory is nearly out",
    { ...restarted(), look: lookAt(400 * MiB), workers: [{ project: shop, ...running, isEnding: true }] },
    "hasten shop"
  ],
  [
    "time as usual for one that is being ended for another reason",
    { look: lookAt(400 * MiB), workers: [{ project: shop, ...running, isEnding: true }] },
    "await"
  ],
  [
    "the worker that holds most while a small one is being ended",
    {
      workers: [
        { project: shop, ...running },
        { project: blog, ...running, isEnding: true }
      ]
    },
    "restart shop"
  ],
  [
    "no second worker while the first waits",
    {
      ...restarted(),
      workers: [
        { project: shop, ...running, startedMs: undefined },
        { project: blog, ...running }
      ]
    },
    "nobody: restarted"
  ],
  [
    "no second worker when the first runs again, unless it is the cause",
    {
      ...restarted(),
      workers: [
        { project: shop, ...running, startedMs: 300 },
        { project: blog, ...running }
      ]
    },
    "nobody: no-cause"
  ],
  [
    "the one that runs again and is the cause",
    {
      ...restarted(),
      workers: [{ project: shop, ...running, startedMs: 300 }],
      choice: { ...critical.choice, holdings: [{ project: shop, heldBytes: 1500 * MiB, processes: 1 }] }
    },
    "restart shop"
  ],
  [
    "the next one when the largest must be the cause and is not",
    {
      workers: [
        { project: shop, ...running, criticalRestart: "if-cause" },
        { project: blog, ...running }
      ]
    },
    "restart blog"
  ],
  [
    "nobody who was started although memory was short, unless it is the cause",
    { workers: [{ project: shop, ...running, startedMs: 150 }] },
    "nobody: no-cause"
  ],
  [
    "nobody when no worker runs",
    { workers: [], choice: { ...critical.choice, holdings: [] } },
    "nobody: no-worker"
  ]
]

describe("what is done about memory that is short", () => {
  for (const [what, changed, decision] of table) {
    it(`is ${what}`, () => {
      assert.strictEqual(told({ ...critical, ...changed }), decision)
    })
  }

  it("never touches a worker while memory is only low, whatever is known of it", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1000, max: 1999 }),
        FastCheck.integer({ min: 0, max: 16_000 }),
        FastCheck.boolean(),
        (availableMiB, heldMiB, isEnding) => {
          const decision = decide({
            ...critical,
            look: lookAt(availableMiB * MiB),
            choice: {
              ...critical.choice,
              holdings: [{ project: shop, heldBytes: heldMiB * MiB, processes: 1 }]
            },
            workers: [{ project: shop, ...running, isEnding }]
          })
          assert.strictEqual(decision._tag, "Nobody")
        }
      )
    )
  })

  it("leaves a hog less time to end when memory is critical", () => {
    assert.isBelow(hogGraceMs(lookAt(0)), hogGraceMs(lookAt(1500 * MiB)))
  })
})
