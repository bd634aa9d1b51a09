import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { type MemoryLook, memoryLook } from "../../../src/Domain/memory/MemoryLook.ts"
import type { OomSample } from "../../../src/Domain/verdict/OomKill.ts"
import {
  beginWatch,
  evidenceOf,
  type GroupSight,
  type KillSight,
  nextWatch,
  withoutOne,
  withSample
} from "../../../src/Domain/verdict/OomKillWatch.ts"

const gib = 2 ** 30
const leader = { code: 1, signal: null }

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

const sample = (availableBytes: number, residentBytes: number): OomSample => ({
  memory: memory(availableBytes),
  tree: { residentBytes, swapBytes: 0, processes: 2 }
})
const nothing: OomSample = { memory: undefined, tree: undefined }

const at = (atMs: number, kills: number | undefined, more: Partial<GroupSight> = {}): KillSight => ({
  atMs,
  group: kills === undefined ? undefined : { folder: "/x", kills, isAlone: false, ...more },
  machineKills: undefined
})

const evidence = (watch: Parameters<typeof evidenceOf>[0]) => evidenceOf(watch, leader, false)

describe("kills that are counted while a worker lives", () => {
  it("are those since its start, with how long ago the last was noticed", () => {
    let watch = beginWatch(at(0, 4), nothing)
    watch = nextWatch(watch, at(5000, 5), nothing)
    watch = nextWatch(watch, at(10_000, 7), nothing)
    watch = nextWatch(watch, at(60_000, 7), nothing)
    assert.deepInclude(evidence(watch).group, { folder: "/x", count: 3, alone: 0, ageMs: 50_000 })
  })

  it("are told with the worst that was known since the look before", () => {
    let watch = beginWatch(at(0, 0), sample(9 * gib, 1))
    watch = nextWatch(watch, at(5000, 0), sample(8 * gib, gib))
    watch = withSample(watch, sample(gib / 2, 12 * gib))
    // The kill has given it all back.
    watch = withSample(watch, sample(12 * gib, 2))
    watch = nextWatch(watch, at(10_000, 1), sample(13 * gib, 3))
    assert.deepStrictEqual(evidence(watch).group?.before, sample(gib / 2, 12 * gib))
    // A later look that finds no kill changes nothing.
    watch = nextWatch(watch, at(15_000, 1), sample(1, 13 * gib))
    assert.deepStrictEqual(evidence(watch).group?.before, sample(gib / 2, 12 * gib))
  })

  it("are told with what was known at all", () => {
    const watch = nextWatch(beginWatch(at(0, 0), nothing), at(1, 1), sample(gib, gib))
    assert.deepStrictEqual(evidence(watch).group?.before, sample(gib, gib))
  })

  it("are the worker's own as long as nobody else is seen in its cgroup", () => {
    let watch = beginWatch(at(0, 0, { isAlone: true }), nothing)
    watch = nextWatch(watch, at(1, 1, { isAlone: true }), nothing)
    watch = nextWatch(watch, at(2, 2), nothing)
    watch = nextWatch(watch, at(3, 3, { isAlone: true }), nothing)
    assert.deepInclude(evidence(watch).group, { count: 3, alone: 1 })
  })

  it("are not those of another cgroup from before the worker went there", () => {
    let watch = beginWatch(at(0, 1), nothing)
    watch = nextWatch(watch, at(1, 100, { folder: "/y" }), nothing)
    assert.deepInclude(evidence(watch).group, { folder: "/y", count: 0 })
    watch = nextWatch(watch, at(2, 101, { folder: "/y" }), nothing)
    assert.deepInclude(evidence(watch).group, { folder: "/y", count: 1 })
  })

  it("are not known when the cgroup is gone before it could be looked at, which is not the same as none", () => {
    const before = beginWatch(at(0, 1), nothing)
    assert.isUndefined(evidence(nextWatch(before, at(1, undefined), nothing)).group)
    const noticed = nextWatch(before, at(1, 2), nothing)
    assert.deepInclude(evidence(nextWatch(noticed, at(2, undefined), nothing)).group, { count: 1 })
  })

  it("are the machine's too", () => {
    const sight = (atMs: number, machineKills: number) => ({ atMs, group: undefined, machineKills })
    let watch = beginWatch(sight(0, 7), nothing)
    assert.isUndefined(evidence(nextWatch(watch, sight(1, 7), nothing)).machine)
    watch = nextWatch(watch, sight(5000, 9), nothing)
    assert.deepInclude(evidence(nextWatch(watch, sight(6000, 9), nothing)).machine, { count: 2, ageMs: 1000 })
  })

  it("that were another worker's do not count, unless they are proven to be its own", () => {
    const shared = nextWatch(beginWatch(at(0, 0), nothing), at(1, 2), nothing)
    assert.deepInclude(evidence(withoutOne(shared)).group, { count: 1 })
    assert.deepInclude(evidence(withoutOne(withoutOne(withoutOne(shared)))).group, { count: 0 })
    const alone = nextWatch(
      beginWatch(at(0, 0, { isAlone: true }), nothing),
      at(1, 1, { isAlone: true }),
      nothing
    )
    assert.deepInclude(evidence(withoutOne(alone)).group, { count: 1, alone: 1 })
  })

  it("add up to the rise of the count, however often it is looked at", () => {
    const steps = FastCheck.array(
      FastCheck.record({
        kills: FastCheck.nat(3),
        isAlone: FastCheck.boolean(),
        isSampled: FastCheck.boolean()
      })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.nat(9), steps, (first, looks) => {
        let watch = beginWatch(at(0, first), nothing)
        let kills = first
        for (const [index, look] of looks.entries()) {
          kills += look.kills
          if (look.isSampled) watch = withSample(watch, sample(index, index))
          watch = nextWatch(watch, at(index + 1, kills, { isAlone: look.isAlone }), nothing)
        }
        const { group } = evidence(watch)
        assert.strictEqual(group?.count, kills - first)
        assert.isAtMost(group?.alone ?? 0, kills - first)
      })
    )
  })
})
