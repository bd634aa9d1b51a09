import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { DaemonEvent, describeEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { type MemoryLook, memoryLook } from "../../../src/Domain/memory/MemoryLook.ts"
import { unnamed } from "../../../src/Domain/Project.ts"
import type { WorkerExit } from "../../../src/Domain/tree/WorkerExit.ts"
import { adviceFor } from "../../../src/Domain/verdict/ExitVerdict.ts"
import {
  type CountedKills,
  describeOomKill as describeKill,
  type GroupKills,
  type OomEvidence,
  OomKill,
  oomKillOf
} from "../../../src/Domain/verdict/OomKill.ts"

const gib = 2 ** 30

const memory = (availableBytes: number): MemoryLook =>
  memoryLook(
    {
      availableBytes,
      totalBytes: 16 * gib,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      boundBy: undefined,
      stall: undefined
    },
    undefined,
    { minAvailableBytes: 2 * gib, criticalBytes: gib }
  )

const killed: WorkerExit = { code: null, signal: "SIGKILL" }
const exited = (code: number): WorkerExit => ({ code, signal: null })

const short = { memory: memory(gib / 4), tree: { residentBytes: 11 * gib, swapBytes: gib, processes: 7 } }
const plenty = { ...short, memory: memory(9 * gib) }

const inGroup = (count: number, alone: number, ageMs = 100): GroupKills => ({
  folder: "/x",
  count,
  alone,
  ageMs,
  before: short
})
const onMachine = (ageMs = 100, before: CountedKills["before"] = short): CountedKills => ({
  count: 1,
  ageMs,
  before
})

const verdict = (evidence: Partial<OomEvidence>): string => {
  const kill = oomKillOf({
    leader: exited(1),
    wasAsked: false,
    group: undefined,
    machine: undefined,
    ...evidence
  })
  return kill === undefined ? "nothing" : `${kill.certainty}: ${kill.victim}, ${kill.kills}`
}

describe("a kill that the worker's cgroup has counted", () => {
  it("is proven to be the leader's when that died by SIGKILL, and nobody had told it to end", () => {
    assert.strictEqual(verdict({ leader: killed, group: inGroup(1, 0) }), "proven: leader, 1")
    assert.strictEqual(verdict({ leader: killed, group: inGroup(3, 3) }), "proven: leader, 3")
    assert.strictEqual(verdict({ leader: killed, group: inGroup(1, 0, 60_000) }), "probable: member, 1")
    assert.strictEqual(
      verdict({ leader: killed, group: inGroup(1, 0), wasAsked: true }),
      "probable: member, 1"
    )
    assert.strictEqual(
      verdict({ leader: { code: null, signal: "SIGSEGV" }, group: inGroup(1, 0) }),
      "probable: member, 1"
    )
  })

  it("is proven to be a child's when a shell says that its child was killed", () => {
    assert.strictEqual(verdict({ leader: exited(137), group: inGroup(1, 0) }), "proven: member, 1")
    assert.strictEqual(
      verdict({ leader: exited(137), group: inGroup(1, 0), wasAsked: true }),
      "probable: member, 1"
    )
  })

  it("is proven to be the worker's when nobody else was there, however and whenever the leader ended", () => {
    for (const leader of [exited(0), exited(1), { code: null, signal: "SIGTERM" }]) {
      for (const wasAsked of [false, true]) {
        assert.strictEqual(verdict({ leader, wasAsked, group: inGroup(1, 1, 1e9) }), "proven: member, 1")
        assert.strictEqual(verdict({ leader, wasAsked, group: inGroup(3, 2, 1e9) }), "proven: member, 2")
        assert.strictEqual(verdict({ leader, wasAsked, group: inGroup(3, 0, 1e9) }), "probable: member, 3")
      }
    }
  })
})

describe("a kill that only the machine has counted", () => {
  it("is probably the worker's when that failed right then, and memory was short", () => {
    assert.strictEqual(verdict({ leader: killed, machine: onMachine() }), "probable: leader, 1")
    assert.strictEqual(verdict({ leader: exited(1), machine: onMachine() }), "probable: member, 1")
  })

  it("proves nothing by itself", () => {
    for (const machine of [
      onMachine(100, plenty),
      onMachine(100, { ...short, memory: undefined }),
      onMachine(60_000)
    ]) {
      assert.strictEqual(verdict({ leader: killed, machine }), "nothing")
    }
    assert.strictEqual(verdict({ leader: killed, machine: onMachine(), wasAsked: true }), "nothing")
    assert.strictEqual(verdict({ leader: exited(0), machine: onMachine() }), "nothing")
  })

  it("was somebody else's when the worker's cgroup has counted none", () => {
    assert.strictEqual(verdict({ leader: killed, group: inGroup(0, 0), machine: onMachine() }), "nothing")
  })
})

const anyKills = FastCheck.record({
  count: FastCheck.nat(3),
  ageMs: FastCheck.constantFrom(0, 30_000, 30_001),
  before: FastCheck.constantFrom(short, plenty, { memory: undefined, tree: undefined })
})
const anyEvidence: FastCheck.Arbitrary<OomEvidence> = FastCheck.record({
  leader: FastCheck.constantFrom(killed, exited(0), exited(1), exited(137)),
  wasAsked: FastCheck.boolean(),
  group: FastCheck.option(
    FastCheck.tuple(anyKills, FastCheck.nat(3)).map(([kills, alone]) => ({
      ...kills,
      folder: "/x",
      alone: Math.min(alone, kills.count)
    })),
    { nil: undefined }
  ),
  machine: FastCheck.option(anyKills, { nil: undefined })
})

describe("whatever is known", () => {
  it("nothing is told without a kill, nothing is proven without the cgroup, and all can be written down", () => {
    FastCheck.assert(
      FastCheck.property(anyEvidence, (evidence) => {
        const kill = oomKillOf(evidence)
        if (kill === undefined) return
        assert.isAbove(kill.kills, 0)
        assert.isAtMost(kill.kills, (evidence.group ?? evidence.machine)?.count ?? 0)
        if (kill.certainty === "proven") assert.isAbove(evidence.group?.count ?? 0, 0)
        assert.strictEqual(kill.cgroup, evidence.group?.folder)
        if (kill.victim === "leader")
          assert.deepStrictEqual([evidence.leader, evidence.wasAsked], [killed, false])
        assert.deepStrictEqual(Schema.decodeUnknownSync(OomKill)(Schema.encodeSync(OomKill)(kill)), kill)
      })
    )
  })
})

const told = (evidence: Partial<OomEvidence>) => {
  const oomKill = oomKillOf({
    leader: killed,
    wasAsked: false,
    group: undefined,
    machine: undefined,
    ...evidence
  })
  assert(oomKill !== undefined)
  return { oomKill, text: describeKill(oomKill) }
}

describe("what a person is told", () => {
  it("names the victim, where it was counted, and what was seen last before", () => {
    assert.strictEqual(
      told({ group: inGroup(1, 0) }).text,
      "the kernel killed it because memory had run out " +
        "(1 kill in the cgroup /x; last seen before: it held 12 GiB in 7 processes, 256 MiB of 16 GiB were available)"
    )
    assert.match(
      told({ leader: exited(1), group: inGroup(2, 2) }).text,
      /^the kernel killed 2 of its processes because memory had run out \(2 kills in the cgroup \/x; /
    )
    assert.match(
      told({ leader: exited(1), group: inGroup(2, 0) }).text,
      /^the kernel probably killed one of its processes because /
    )
    const nothingSeen = { memory: undefined, tree: undefined }
    assert.strictEqual(
      told({ group: { ...inGroup(1, 1), before: nothingSeen } }).text,
      "the kernel killed it because memory had run out (1 kill in the cgroup /x)"
    )
    assert.strictEqual(
      told({ machine: onMachine(0, { ...short, tree: { residentBytes: 5, swapBytes: 0, processes: 1 } }) })
        .text,
      "the kernel probably killed it because memory had run out " +
        "(1 kill on this machine; last seen before: it held 5 bytes in 1 process, 256 MiB of 16 GiB were available)"
    )
  })

  it("names the limit that was reached, where memory had not run out on the machine", () => {
    const { oomKill } = told({ group: inGroup(1, 1) })
    const limited = { ...oomKill, limitBytes: 5 * 2 ** 30 }
    assert.match(
      describeKill(limited),
      /^the kernel killed it because it would have held more than 5 GiB, the limit of its cgroup \(1 kill in /
    )
    assert.include(
      adviceFor({ kind: "out-of-memory", by: "kernel", oomKill: limited }),
      "Raise memory.worker_limit_bytes"
    )
    assert.include(adviceFor({ kind: "out-of-memory", by: "kernel", oomKill }), "more memory")
  })

  it("is a warning with the end of the worker, also when that had been asked for or went well", () => {
    const { oomKill, text } = told({ leader: exited(0), group: inGroup(1, 1) })
    const event: DaemonEvent = {
      _tag: "WorkerExited",
      project: unnamed,
      exit: exited(0),
      uptimeMs: 5000,
      wasAsked: true,
      oomKill
    }
    assert.deepStrictEqual(describeEvent(event), {
      level: "warning",
      text: `Worker exited after 5 seconds: exit code 0; ${text}`
    })
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(DaemonEvent)(Schema.encodeSync(DaemonEvent)(event)),
      event
    )
  })
})
