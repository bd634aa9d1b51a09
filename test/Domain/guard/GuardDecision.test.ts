import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  decide,
  type GuardInput,
  hogGraceMs,
  type Signalled
} from "../../../src/Domain/guard/GuardDecision.ts"
import type { Victim } from "../../../src/Domain/guard/HogChoice.ts"
import { sampleOf } from "../../fixtures/MemorySamples.ts"
import { blog, MiB, shop } from "../machine/processWorlds.ts"

const thresholds = { minAvailableBytes: 2000 * MiB, criticalBytes: 1000 * MiB }

const sampleAt = (availableBytes: number) => sampleOf(availableBytes, {}, thresholds)

const victim = (pid: number, startTicks = 1): Victim => ({
  pid,
  startTicks,
  heldBytes: MiB,
  swapBytes: 0,
  name: "node",
  argv: [],
  because: { _tag: "Hog" }
})

const running = { criticalRestart: "always" as const, startedMs: 0, isStopping: false }

const critical: GuardInput = {
  sample: sampleAt(500 * MiB),
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

const described = (input: GuardInput): string => {
  const decision = decide(input)
  switch (decision._tag) {
    case "KillHog":
      return `${decision.signal} ${decision.victim.pid}`
    case "RestartWorker":
      return `restart ${decision.holding.project}`
    case "Await":
      return "await"
    case "Hasten":
      return `hasten ${decision.project}`
    case "Nothing":
      return `nothing: ${decision.why}`
  }
}

const withVictims = (...victims: ReadonlyArray<Victim>) => ({ choice: { ...critical.choice, victims } })
const signalled = (pid: number, stage: Signalled["stage"], startTicks = 1) => ({
  signalled: new Map([[pid, { startTicks, stage }]])
})
const restarted = (project = shop) => ({ shortage: { sinceMs: 100, restarted: { project, atMs: 200 } } })

const table: ReadonlyArray<readonly [what: string, changed: Partial<GuardInput>, decision: string]> = [
  ["SIGTERM to a hog before any worker", withVictims(victim(1), victim(2)), "SIGTERM 1"],
  [
    "SIGKILL to one that got SIGTERM before",
    { ...withVictims(victim(1)), ...signalled(1, "terminating") },
    "SIGKILL 1"
  ],
  [
    "SIGTERM to another process with its pid",
    { ...withVictims(victim(1, 2)), ...signalled(1, "survived") },
    "SIGTERM 1"
  ],
  [
    "SIGTERM to the next one when one survives SIGKILL",
    { ...withVictims(victim(1), victim(2)), ...signalled(1, "survived") },
    "SIGTERM 2"
  ],
  [
    "a restart when all hogs survive",
    { ...withVictims(victim(1)), ...signalled(1, "survived") },
    "restart shop"
  ],
  ["a restart of the worker that holds most", {}, "restart shop"],
  ["no restart while memory is only low", { sample: sampleAt(1500 * MiB) }, "nothing: not-critical"],
  [
    "no restart at low memory when all hogs survive",
    { sample: sampleAt(1500 * MiB), ...withVictims(victim(1)), ...signalled(1, "survived") },
    "nothing: survivors"
  ],
  [
    "no second restart while the first worker stops",
    { workers: [{ project: shop, ...running, isStopping: true }] },
    "await"
  ],
  [
    "no grace period for the worker that stops for memory, once memory is nearly out",
    {
      ...restarted(),
      sample: sampleAt(400 * MiB),
      workers: [{ project: shop, ...running, isStopping: true }]
    },
    "hasten shop"
  ],
  [
    "the grace period as usual for a worker that stops for another reason",
    { sample: sampleAt(400 * MiB), workers: [{ project: shop, ...running, isStopping: true }] },
    "await"
  ],
  [
    "a restart of the largest worker while a small one stops",
    {
      workers: [
        { project: shop, ...running },
        { project: blog, ...running, isStopping: true }
      ]
    },
    "restart shop"
  ],
  [
    "no second restart while the first worker waits",
    {
      ...restarted(),
      workers: [
        { project: shop, ...running, startedMs: undefined },
        { project: blog, ...running }
      ]
    },
    "nothing: restarted"
  ],
  [
    "no second restart when the first worker runs again, unless it is the cause",
    {
      ...restarted(),
      workers: [
        { project: shop, ...running, startedMs: 300 },
        { project: blog, ...running }
      ]
    },
    "nothing: no-cause"
  ],
  [
    "a restart of the worker that runs again and is the cause",
    {
      ...restarted(),
      workers: [{ project: shop, ...running, startedMs: 300 }],
      choice: { ...critical.choice, holdings: [{ project: shop, heldBytes: 1500 * MiB, processes: 1 }] }
    },
    "restart shop"
  ],
  [
    "a restart of the next worker when the largest must be the cause and is not",
    {
      workers: [
        { project: shop, ...running, criticalRestart: "if-cause" },
        { project: blog, ...running }
      ]
    },
    "restart blog"
  ],
  [
    "no restart of a worker that was started during the shortage, unless it is the cause",
    { workers: [{ project: shop, ...running, startedMs: 150 }] },
    "nothing: no-cause"
  ],
  [
    "nothing when no worker runs",
    { workers: [], choice: { ...critical.choice, holdings: [] } },
    "nothing: no-worker"
  ]
]

describe("the decision about memory that is short", () => {
  for (const [what, changed, decision] of table) {
    it(`is ${what}`, () => {
      assert.strictEqual(described({ ...critical, ...changed }), decision)
    })
  }

  it("never restarts a worker while memory is only low", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1000, max: 1999 }),
        FastCheck.integer({ min: 0, max: 16_000 }),
        FastCheck.boolean(),
        (availableMiB, heldMiB, isStopping) => {
          const decision = decide({
            ...critical,
            sample: sampleAt(availableMiB * MiB),
            choice: {
              ...critical.choice,
              holdings: [{ project: shop, heldBytes: heldMiB * MiB, processes: 1 }]
            },
            workers: [{ project: shop, ...running, isStopping }]
          })
          assert.strictEqual(decision._tag, "Nothing")
        }
      )
    )
  })

  it("shortens the grace period of a hog when memory is critical", () => {
    assert.isBelow(hogGraceMs(sampleAt(0)), hogGraceMs(sampleAt(1500 * MiB)))
  })
})
