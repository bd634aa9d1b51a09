import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { describeGuard, type GuardEvent } from "../../../src/Domain/guard/GuardEvent.ts"
import { hogSignalled, nothingToKill, restartedForMemory } from "../../../src/Domain/guard/GuardReport.ts"
import type { HogChoice, Victim } from "../../../src/Domain/guard/HogChoice.ts"
import { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { sampleOf } from "../../fixtures/MemorySamples.ts"
import { blog, shop } from "../machine/processWorlds.ts"

const GiB = 2 ** 30

const judged = (pid: number, heldBytes: number) => ({
  pid,
  startTicks: 1,
  heldBytes,
  swapBytes: 0,
  name: "node",
  argv: ["node", "server.js"]
})

const hog: Victim = { ...judged(7, 3 * GiB), because: { _tag: "Hog" } }

const choice: HogChoice = {
  victims: [hog, { ...judged(8, GiB), because: { _tag: "Leftover", project: "shop" } }],
  spared: [
    { ...judged(1, 5 * GiB), because: { _tag: "Daemon" } },
    { ...judged(9, 4 * GiB), name: "java", because: { _tag: "OtherName" } },
    { ...judged(10, 4 * GiB), because: { _tag: "Gone" } }
  ],
  holdings: [
    { project: shop, heldBytes: 4 * GiB, processes: 7 },
    { project: blog, heldBytes: GiB, processes: 1 }
  ]
}

const text = (event: GuardEvent) => describeGuard(event).text

const signalled = (signal: "SIGTERM" | "SIGKILL", dryRun = false) =>
  text(hogSignalled(hog, signal, choice, sampleOf(1.5 * GiB), dryRun))

const low = "memory is low (1.5 GiB of 16 GiB available, below 2 GiB)"
const critical = "memory is critical (512 MiB of 16 GiB available, below 1 GiB)"
const why = "Reason: large, and its name is in hog_names. Command: node server.js"
const others =
  '. Next: node (pid 8, 1 GiB, left behind by an earlier worker of "shop"). Spared: java (pid 9, 4 GiB, its name is not in hog_names)'

describe("an event of the memory guard", () => {
  it("names the process that is killed, the reason, and the reasons of the others", () => {
    assert.strictEqual(
      signalled("SIGTERM"),
      `Sending SIGTERM to node (pid 7, 3 GiB): ${low}. ${why}${others}`
    )
    assert.strictEqual(
      signalled("SIGKILL"),
      `Sending SIGKILL to node (pid 7, 3 GiB), which ignored SIGTERM: ${low}. ${why}`
    )
    assert.strictEqual(
      signalled("SIGTERM", true),
      `memory.dry_run is on, else the daemon would send SIGTERM to node (pid 7, 3 GiB): ${low}. ${why}${others}`
    )
  })

  it("reports the exit of the process", () => {
    assert.strictEqual(
      text({ _tag: "HogGone", pid: 7, name: "node", afterMs: 1200 }),
      "node (pid 7) exited after 1 second"
    )
    assert.strictEqual(
      text({ _tag: "HogSurvived", pid: 7, name: "node", reason: "it may hang in the kernel" }),
      "node (pid 7) could not be killed: it may hang in the kernel"
    )
  })

  it("explains why nothing is done", () => {
    const event = nothingToKill("no worker runs", { ...choice, victims: [] }, sampleOf(GiB / 2))
    assert.strictEqual(
      text(event),
      `Nothing is done although ${critical}: no worker runs. Spared: java (pid 9, 4 GiB, its name is not in hog_names)`
    )
    assert.strictEqual(describeGuard(event).level, "error")
    const { figures } = event
    assert.strictEqual(
      text({ _tag: "ShortOfMemory", forMs: 180_000, ended: 2, figures, decision: "no worker runs" }),
      `Memory has been short for 3 minutes: ${critical}, 2 processes were killed; no worker runs`
    )
  })

  it("names the worker that is restarted, its memory, and that of the others", () => {
    const [holding] = choice.holdings
    assert.isDefined(holding)
    assert.strictEqual(
      text(restartedForMemory(holding, choice, sampleOf(GiB / 2), false)),
      `Restarting the worker: ${critical}, no other process qualifies, and its 7 processes hold 4 GiB. Other workers: "blog" (1 GiB)`
    )
    const { figures } = nothingToKill("", undefined, sampleOf(GiB / 2))
    assert.strictEqual(
      text({ _tag: "StartedShort", project: shop, figures }),
      `The worker was started although ${critical}`
    )
    assert.strictEqual(
      text({ _tag: "HoldEnded", project: shop, heldForMs: 60_000 }),
      "Starting the worker, which waited 1 minute for memory"
    )
  })

  it("survives writing and reading, and contains no text that drives a terminal", () => {
    const stored = Schema.parseJson(DaemonEvent)
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (name) => {
        const victim = { ...hog, name, argv: [name, name] }
        const event = hogSignalled(victim, "SIGTERM", choice, sampleOf(GiB), false)
        assert.deepStrictEqual(Schema.decodeSync(stored)(Schema.encodeSync(stored)(event)), event)
        assert.notMatch(text(event), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      })
    )
  })
})
