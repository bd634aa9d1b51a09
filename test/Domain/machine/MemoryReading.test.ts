import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  type CgroupUsage,
  effectiveMemory,
  type MachineMemory,
  parseMemInfo
} from "../../../src/Domain/machine/MemoryReading.ts"

const text = (...lines: ReadonlyArray<string>) => `${lines.join("\n")}\n`

describe("/proc/meminfo", () => {
  it("gives total and available memory and swap in bytes", () => {
    const memory = parseMemInfo(
      text(
        "MemTotal:       24684096 kB",
        "MemFree:        1024 kB",
        "MemAvailable:   2048 kB",
        "SwapCached:            9 kB",
        "SwapTotal:      4096 kB",
        "SwapFree:       3072 kB"
      )
    )
    assert.deepStrictEqual(memory, {
      totalBytes: 24_684_096 * 1024,
      availableBytes: 2048 * 1024,
      swapTotalBytes: 4096 * 1024,
      swapFreeBytes: 3072 * 1024
    })
  })

  it("of a kernel without MemAvailable and swap gives the free memory, a safe lower bound", () => {
    assert.deepStrictEqual(parseMemInfo(text("MemTotal:  100 kB", "MemFree:  10 kB")), {
      totalBytes: 102_400,
      availableBytes: 10_240,
      swapTotalBytes: 0,
      swapFreeBytes: 0
    })
  })

  it("with other content gives nothing instead of a false figure", () => {
    for (const odd of [
      "",
      "MemTotal: x kB\nMemAvailable: 1 kB\n",
      "MemTotal: 5 MB\n",
      "MemAvailable: 1 kB\n",
      "MemTotal: 99999999999999999999 kB\nMemAvailable: 1 kB\n"
    ]) {
      assert.isUndefined(parseMemInfo(odd))
    }
  })

  it("with any content never throws, and gives whole amounts or nothing", () => {
    const line = FastCheck.tuple(
      FastCheck.constantFrom("MemTotal", "MemFree", "MemAvailable", "SwapTotal", "SwapFree", "x"),
      FastCheck.oneof(FastCheck.nat().map(String), FastCheck.string(), FastCheck.bigInt().map(String))
    ).map(([name, amount]) => `${name}:   ${amount} kB`)
    const content = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.array(line).map((lines) => text(...lines))
    )
    FastCheck.assert(
      FastCheck.property(content, (odd) => {
        const memory = parseMemInfo(odd)
        for (const bytes of Object.values(memory ?? {})) {
          assert.isTrue(Number.isSafeInteger(bytes) && bytes >= 0, odd)
        }
        assert.isAtMost(memory?.availableBytes ?? 0, memory?.totalBytes ?? 0)
      })
    )
  })
})

const machine: MachineMemory = {
  availableBytes: 800,
  totalBytes: 1000,
  swapTotalBytes: 10,
  swapFreeBytes: 5
}

interface Figures {
  readonly limit: number
  readonly used?: number | undefined
  readonly reclaimable?: number | undefined
}

const group = ({ limit, reclaimable, used }: Figures, folder = "/group"): CgroupUsage => ({
  folder,
  limitBytes: limit,
  usedBytes: () => used,
  reclaimableBytes: () => reclaimable
})

const notAsked = (): never => assert.fail("was asked for what cannot matter")

describe("the memory within cgroups", () => {
  it("is the machine's where no group limits it", () => {
    assert.deepStrictEqual(effectiveMemory(machine, []), { ...machine, boundBy: undefined, stall: undefined })
    const unlimited = { ...group({ limit: Number.POSITIVE_INFINITY }), usedBytes: notAsked }
    assert.deepStrictEqual(effectiveMemory(machine, [unlimited]), {
      ...machine,
      boundBy: undefined,
      stall: undefined
    })
    assert.deepStrictEqual(
      effectiveMemory(machine, [{ ...unlimited, limitBytes: 1000 }]),
      effectiveMemory(machine, [])
    )
  })

  it("is what the tightest group leaves, and page cache does not count as used", () => {
    const groups = [
      group({ limit: 600, used: 500, reclaimable: 300 }, "/own"),
      group({ limit: 700, used: 690, reclaimable: 100 }, "/above")
    ]
    assert.deepStrictEqual(effectiveMemory(machine, groups), {
      ...machine,
      availableBytes: 110,
      totalBytes: 600,
      boundBy: "/above",
      stall: undefined
    })
  })

  it("is zero, not less, where a limit was lowered below the usage", () => {
    const { availableBytes } = effectiveMemory(machine, [group({ limit: 100, used: 400, reclaimable: 0 })])
    assert.strictEqual(availableBytes, 0)
  })

  it("is not short because of an unreadable file: then only the limit counts", () => {
    for (const unknown of [{ limit: 500 }, { limit: 500, used: 500 }]) {
      assert.deepInclude(effectiveMemory(machine, [group(unknown)]), {
        availableBytes: 500,
        totalBytes: 500,
        boundBy: "/group"
      })
    }
  })

  it("reads the page cache of a group only when that can matter", () => {
    const roomy = { ...group({ limit: 900, used: 100 }), reclaimableBytes: notAsked }
    assert.deepInclude(effectiveMemory(machine, [roomy]), {
      availableBytes: 800,
      totalBytes: 900,
      boundBy: undefined
    })
  })

  it("is the least headroom of all groups, never above the total, never below zero", () => {
    const amount = FastCheck.nat(2000)
    const groups = FastCheck.array(FastCheck.record({ limit: amount, used: amount, reclaimable: amount }))
    FastCheck.assert(
      FastCheck.property(groups, (figures) => {
        const memory = effectiveMemory(
          machine,
          figures.map((one, at) => group(one, `/${at}`))
        )
        const headrooms = figures
          .filter(({ limit }) => limit < machine.totalBytes)
          .map(({ limit, reclaimable, used }) => Math.max(0, limit - Math.max(0, used - reclaimable)))
        assert.strictEqual(memory.availableBytes, Math.min(machine.availableBytes, ...headrooms))
        assert.strictEqual(
          memory.totalBytes,
          Math.min(machine.totalBytes, ...figures.map(({ limit }) => limit))
        )
        assert.isAtMost(memory.availableBytes, memory.totalBytes)
        assert.strictEqual(memory.boundBy === undefined, memory.availableBytes === machine.availableBytes)
      })
    )
  })
})
