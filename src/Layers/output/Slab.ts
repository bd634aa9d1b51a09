/** A piece of memory that is filled from its beginning. */
export interface Slab {
  readonly bytes: Buffer
  usedBytes: number
}

export const noSlab: Slab = { bytes: Buffer.alloc(0), usedBytes: 0 }

/** Of one that is not filled, the kernel gives only the pages that are. */
const slabBytes = 1024 * 1024

/**
 * So many are kept for whoever needs one next: in a flood, new memory for each piece keeps the collector busier than
 * all else. They are given up when nobody has needed one for a while.
 */
const keptSlabs = 8
const keptMs = 5000

let kept: Array<Buffer> = []
let timer: NodeJS.Timeout | undefined

/** An empty slab that has room for so much at least. */
export const takeSlab = (leastBytes: number): Slab => ({
  bytes:
    leastBytes > slabBytes
      ? Buffer.allocUnsafeSlow(leastBytes)
      : (kept.pop() ?? Buffer.allocUnsafeSlow(slabBytes)),
  usedBytes: 0
})

/** Nobody may use it any more. */
export const giveBack = ({ bytes }: Slab): void => {
  if (bytes.length !== slabBytes || kept.length === keptSlabs) return
  kept.push(bytes)
  timer ??= setTimeout(() => {
    // One is enough for workers that say something now and then.
    kept = kept.slice(0, 1)
    timer = undefined
  }, keptMs).unref()
  timer.refresh()
}
