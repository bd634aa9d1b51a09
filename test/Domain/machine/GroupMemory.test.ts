import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { backstopBytes, parseHeld } from "../../../src/Domain/machine/GroupMemory.ts"

/** As Linux 6.18 writes it, shortened. */
const stat = `anon 524288
file 104857600
kernel 300000
kernel_stack 65536
pagetables 49152
percpu 1024
sock 0
shmem 8192
file_mapped 4096
inactive_anon 524288
active_anon 4096
inactive_file 100000000
slab_reclaimable 100000
slab_unreclaimable 50000
slab 150000
`

describe("memory.stat", () => {
  it("gives the memory of a group: neither page cache nor cached names count", () => {
    assert.strictEqual(parseHeld(stat), 524_288 + 8192 + 300_000 - 100_000)
  })

  it("of an older kernel gives the sum of the kernel's parts", () => {
    const old = stat.replace("kernel 300000\n", "")
    assert.strictEqual(parseHeld(old), 524_288 + 8192 + 65_536 + 49_152 + 1024 + 50_000)
  })

  it("without the figures gives nothing", () => {
    for (const odd of ["", "anon\n", "file 1\nkernel 1\n", "anon 1\n", "shmem 1\nanon -1\n"]) {
      assert.isUndefined(parseHeld(odd))
    }
  })
})

describe("the backstop of the kernel", () => {
  it("is a quarter above the limit, in whole bytes", () => {
    assert.strictEqual(backstopBytes(1000), 1250)
    FastCheck.assert(
      FastCheck.property(FastCheck.integer({ min: 1, max: 2 ** 50 }), (limit) => {
        assert.isTrue(Number.isSafeInteger(backstopBytes(limit)))
        assert.isAtLeast(backstopBytes(limit), limit * 1.25)
      })
    )
  })
})
