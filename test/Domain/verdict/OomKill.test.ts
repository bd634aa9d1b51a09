import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { DaemonEvent, describeEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { unnamed } from "../../../src/Domain/Project.ts"
import type { WorkerExit } from "../../../src/Domain/tree/WorkerExit.ts"
import { adviceFor } from "../../../src/Domain/verdict/ExitVerdict.ts"
import {
  type CountedKills,
  describeOomKill,
  type OomEvidence,
  type OomSample,
  oomKillOf
} from "../../../src/Domain/verdict/OomKill.ts"
import {
  beginWatch,
  evidenceOf,
  type KillCounts,
  nextWatch,
  type OomKillWatch,
  withSample
} from "../../../src/Domain/verdict/OomKillWatch.ts"
import { sampleOf as memory } from "../../fixtures/MemorySamples.ts"

const gib = 2 ** 30

const killed: WorkerExit = { code: null, signal: "SIGKILL" }
const exited = (code: number): WorkerExit => ({ code, signal: null })

const short = { memory: memory(gib / 4), tree: { residentBytes: 11 * gib, swapBytes: gib, processes: 7 } }
const plenty = { ...short, memory: memory(9 * gib) }

const inGroup = (count: number, ageMs = 100, before = short) => ({ folder: "/x", count, ageMs, before })
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

describe("a kill counted by the worker's own cgroup", () => {
  it("is proven, and hit the leader when that died by SIGKILL without a request to stop", () => {
    assert.strictEqual(verdict({ leader: killed, group: inGroup(1) }), "proven: leader, 1")
    assert.strictEqual(verdict({ leader: killed, group: inGroup(3) }), "proven: leader, 3")
    assert.strictEqual(verdict({ leader: killed, group: inGroup(1, 60_000) }), "proven: member, 1")
    assert.strictEqual(verdict({ leader: killed, group: inGroup(1), wasAsked: true }), "proven: member, 1")
  })

  it("is proven however and whenever the leader exited", () => {
    for (const leader of [exited(0), exited(1), exited(137), { code: null, signal: "SIGTERM" }]) {
      for (const wasAsked of [false, true]) {
        assert.strictEqual(verdict({ leader, wasAsked, group: inGroup(2, 1e9) }), "proven: member, 2")
      }
    }
  })
})

describe("a kill counted only by the machine", () => {
  it("is probably the worker's when the worker failed right after it and memory was short", () => {
    assert.strictEqual(verdict({ leader: killed, machine: onMachine() }), "probable: leader, 1")
    assert.strictEqual(verdict({ leader: exited(1), machine: onMachine() }), "probable: member, 1")
  })

  it("is no evidence otherwise", () => {
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

  it("hit another program when the worker's own cgroup counted none", () => {
    assert.strictEqual(verdict({ leader: killed, group: inGroup(0), machine: onMachine() }), "nothing")
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
  return { oomKill, text: describeOomKill(oomKill) }
}

describe("the sentence about a kill", () => {
  it("names the victim, the counter, and the last figures before the kill", () => {
    assert.strictEqual(
      told({ group: inGroup(1) }).text,
      "the kernel killed it because memory ran out " +
        "(1 kill in the cgroup /x; before that the worker held 12 GiB in 7 processes, 256 MiB of 16 GiB were available)"
    )
    assert.match(
      told({ leader: exited(1), group: inGroup(2) }).text,
      /^the kernel killed 2 of its processes because memory ran out \(2 kills in the cgroup \/x; /
    )
    const nothingSampled = { memory: undefined, tree: undefined }
    assert.strictEqual(
      told({ group: { ...inGroup(1), before: nothingSampled } }).text,
      "the kernel killed it because memory ran out (1 kill in the cgroup /x)"
    )
    assert.strictEqual(
      told({ machine: onMachine(0, { ...short, tree: { residentBytes: 5, swapBytes: 0, processes: 1 } }) })
        .text,
      "the kernel probably killed it because memory ran out " +
        "(1 kill on this machine; before that the worker held 5 bytes in 1 process, 256 MiB of 16 GiB were available)"
    )
  })

  it("names the limit of the cgroup where the worker reached it", () => {
    const { oomKill } = told({ group: inGroup(1) })
    const limited = { ...oomKill, limitBytes: 5 * 2 ** 30 }
    assert.match(
      describeOomKill(limited),
      /^the kernel killed it because it reached the limit of its cgroup, 5 GiB \(1 kill in /
    )
    assert.include(
      adviceFor({ kind: "out-of-memory", by: "kernel", oomKill: limited }),
      "Raise memory.worker_limit_bytes"
    )
    assert.include(adviceFor({ kind: "out-of-memory", by: "kernel", oomKill }), "more memory")
  })

  it("makes the exit of a worker a warning even when the exit code is 0, and survives the history", () => {
    const { oomKill, text } = told({ leader: exited(0), group: inGroup(1) })
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

/** A reading of the counters of the group and of the machine. */
const at = (atMs: number, group: number | undefined, machine?: number): KillCounts => ({
  atMs,
  group,
  machine
})

const sample = (availableBytes: number, residentBytes: number): OomSample => ({
  memory: memory(availableBytes),
  tree: { residentBytes, swapBytes: 0, processes: 2 }
})
const nothing: OomSample = { memory: undefined, tree: undefined }

const evidence = (watch: OomKillWatch) => evidenceOf(watch, exited(1), false, "/x")

describe("the counters of kills", () => {
  it("count from the start of the worker, and know when the last kill was noticed", () => {
    let watch = beginWatch(at(0, 4, 7), nothing)
    watch = nextWatch(watch, at(5000, 5, 7), nothing)
    watch = nextWatch(watch, at(10_000, 7, 9), nothing)
    watch = nextWatch(watch, at(60_000, 7, 9), nothing)
    assert.deepInclude(evidence(watch).group, { folder: "/x", count: 3, ageMs: 50_000 })
    assert.deepInclude(evidence(watch).machine, { count: 2, ageMs: 50_000 })
  })

  it("keep the worst sample before the last kill", () => {
    let watch = beginWatch(at(0, 0), sample(9 * gib, 1))
    watch = nextWatch(watch, at(5000, 0), sample(8 * gib, gib))
    watch = withSample(watch, sample(gib / 2, 12 * gib))
    // The kill has freed all of it.
    watch = withSample(watch, sample(12 * gib, 2))
    watch = nextWatch(watch, at(10_000, 1), sample(13 * gib, 3))
    assert.deepStrictEqual(evidence(watch).group?.before, sample(gib / 2, 12 * gib))
    watch = nextWatch(watch, at(15_000, 1), sample(1, 13 * gib))
    assert.deepStrictEqual(evidence(watch).group?.before, sample(gib / 2, 12 * gib))
    const unsampled = nextWatch(beginWatch(at(0, 0), nothing), at(1, 1), sample(gib, gib))
    assert.deepStrictEqual(evidence(unsampled).group?.before, sample(gib, gib))
  })

  it("that cannot be read are not the same as no kill", () => {
    const before = beginWatch(at(0, 1), nothing)
    assert.deepInclude(evidence(before).group, { count: 0 })
    assert.isUndefined(evidence(nextWatch(before, at(1, undefined), nothing)).group)
    const noticed = nextWatch(before, at(1, 2), nothing)
    assert.deepInclude(evidence(nextWatch(noticed, at(2, undefined), nothing)).group, { count: 1 })
    const readLater = nextWatch(beginWatch(at(0, undefined), nothing), at(1, 5), nothing)
    assert.deepInclude(evidence(readLater).group, { count: 0 })
  })
})
