import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { describeGuard, type GuardEvent } from "../../../src/Domain/guard/GuardEvent.ts"
import { hogSignalled, nobodyToEnd, restartedForMemory } from "../../../src/Domain/guard/GuardReport.ts"
import type { HogChoice, Victim } from "../../../src/Domain/guard/HogChoice.ts"
import { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { memoryLook } from "../../../src/Domain/memory/MemoryLook.ts"
import { blog, shop } from "../machine/processWorlds.ts"

const GiB = 2 ** 30

const lookAt = (availableBytes: number) =>
  memoryLook(
    {
      availableBytes,
      totalBytes: 16 * GiB,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      boundBy: undefined,
      stall: undefined
    },
    undefined,
    { minAvailableBytes: 2 * GiB, criticalBytes: GiB }
  )

const looked = (pid: number, heldBytes: number) => ({
  pid,
  startTicks: 1,
  heldBytes,
  swapBytes: 0,
  name: "node",
  argv: ["node", "server.js"]
})

const hog: Victim = { ...looked(7, 3 * GiB), because: { _tag: "Hog" } }

const choice: HogChoice = {
  victims: [hog, { ...looked(8, GiB), because: { _tag: "Leftover", project: "shop" } }],
  spared: [
    { ...looked(1, 5 * GiB), because: { _tag: "Daemon" } },
    { ...looked(9, 4 * GiB), name: "java", because: { _tag: "OtherName" } },
    { ...looked(10, 4 * GiB), because: { _tag: "Gone" } }
  ],
  holdings: [
    { project: shop, heldBytes: 4 * GiB, processes: 7 },
    { project: blog, heldBytes: GiB, processes: 1 }
  ]
}

const text = (event: GuardEvent) => describeGuard(event).text

const signalled = (signal: "SIGTERM" | "SIGKILL", dryRun = false) =>
  text(hogSignalled(hog, signal, choice, lookAt(1.5 * GiB), dryRun))

const low = "memory is low (1.5 GiB of 16 GiB available, below 2 GiB)"
const critical = "memory is critical (512 MiB of 16 GiB available, below 1 GiB)"
const why = "node 7, which holds 3 GiB (large, and its name is one of hog_names)"
const others =
  '. Next would be: node 8 (1 GiB: left behind by a worker of "shop" that is gone). Spared: java 9 (4 GiB: its name is not one of hog_names)'

describe("what the guard of the memory tells", () => {
  it("is whom it ends, why, and why not the others", () => {
    assert.strictEqual(signalled("SIGTERM"), `Ending ${why}, because ${low}: node server.js${others}`)
    assert.strictEqual(
      signalled("SIGKILL"),
      `Killing ${why}, for TERM was not enough, because ${low}: node server.js`
    )
    assert.strictEqual(
      signalled("SIGTERM", true),
      `Would end (dry_run) ${why}, because ${low}: node server.js${others}`
    )
  })

  it("is what came of it", () => {
    assert.strictEqual(
      text({ _tag: "HogGone", pid: 7, name: "node", afterMs: 1200 }),
      "node 7 is gone after 1 second"
    )
    assert.strictEqual(
      text({ _tag: "HogSurvived", pid: 7, name: "node", reason: "it may hang in the kernel" }),
      "node 7 could not be ended: it may hang in the kernel"
    )
  })

  it("is also that nobody is ended, and why", () => {
    const event = nobodyToEnd("no worker runs", { ...choice, victims: [] }, lookAt(GiB / 2))
    assert.strictEqual(
      text(event),
      `Nobody is ended although ${critical}: no worker runs. Spared: java 9 (4 GiB: its name is not one of hog_names)`
    )
    assert.strictEqual(describeGuard(event).level, "error")
    const { figures } = event
    assert.strictEqual(
      text({ _tag: "ShortOfMemory", forMs: 180_000, ended: 2, figures, decision: "no worker runs" }),
      `Memory has been short for 3 minutes: ${critical}, 2 processes were ended; no worker runs`
    )
  })

  it("is which worker it restarts, what it holds, and what the others do", () => {
    const [holding] = choice.holdings
    assert.isDefined(holding)
    assert.strictEqual(
      text(restartedForMemory(holding, choice, lookAt(GiB / 2), false)),
      `Restarting the worker, because ${critical}, nobody else is to be ended, and its 7 processes hold 4 GiB. The other workers: "blog" (1 GiB)`
    )
    const { figures } = nobodyToEnd("", undefined, lookAt(GiB / 2))
    assert.strictEqual(
      text({ _tag: "StartedShort", project: shop, figures }),
      `The worker was started although ${critical}`
    )
    assert.strictEqual(
      text({ _tag: "HoldEnded", project: shop, heldForMs: 60_000 }),
      "The worker that waited 1 minute for memory is started"
    )
  })

  it("is an event that is written and read as it was, with no text that drives a terminal", () => {
    const stored = Schema.parseJson(DaemonEvent)
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (name) => {
        const victim = { ...hog, name, argv: [name, name] }
        const event = hogSignalled(victim, "SIGTERM", choice, lookAt(GiB), false)
        assert.deepStrictEqual(Schema.decodeSync(stored)(Schema.encodeSync(stored)(event)), event)
        assert.notMatch(text(event), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      })
    )
  })
})
