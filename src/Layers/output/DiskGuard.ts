import * as fs from "node:fs/promises"
import { humanBytes } from "../../Domain/text/Amounts.ts"

/** The default of `log.min_free_bytes`: this number of bytes, but at most this share of the disk. */
const usualFreeBytes = 256 * 2 ** 20
const usualShare = 0.05

/** The bytes to keep free on a disk of `diskBytes`: the setting, or else the default. */
export const minFreeBytesOn = (diskBytes: number, set: number | undefined): number =>
  set ?? Math.min(usualFreeBytes, Math.floor(usualShare * diskBytes))

/** Keeps some space free on a disk. */
interface DiskGuard {
  /**
   * Returns the reason not to write this number of bytes; undefined when there is room. `minFreeBytes` must stay free,
   * by default 256 MiB but at most 5 % of the disk.
   */
  readonly refusal: (bytes: number, minFreeBytes: number | undefined) => Promise<string | undefined>
}

/** Checks the disk after this number of bytes or milliseconds, because other programs fill it too. */
const checkBytes = 8 * 2 ** 20
const checkMs = 5000

/** Hysteresis: without it, a disk at the limit would be an event every other second. */
const reliefFactor = 1.1

/** Guards the disk of `folder`. */
export const makeDiskGuard = (folder: string): DiskGuard => {
  let writtenBytes = 0
  let checkedMs = Number.NEGATIVE_INFINITY
  let isTooFull = false
  let lastMinFreeBytes: number | undefined

  const check = async (minFreeBytes: number | undefined): Promise<string | undefined> => {
    const { bavail, blocks, bsize } = await fs.statfs(folder)
    const freeBytes = bavail * bsize
    const wanted = minFreeBytesOn(blocks * bsize, minFreeBytes)
    isTooFull = freeBytes < wanted * (isTooFull ? reliefFactor : 1)
    return isTooFull
      ? `only ${humanBytes(freeBytes)} are free on its disk, and log.min_free_bytes keeps ${humanBytes(wanted)} free`
      : undefined
  }

  return {
    refusal: async (bytes, minFreeBytes) => {
      writtenBytes += bytes
      const nowMs = performance.now()
      const isDue =
        isTooFull ||
        minFreeBytes !== lastMinFreeBytes ||
        writtenBytes >= checkBytes ||
        nowMs - checkedMs >= checkMs
      if (!isDue) return undefined
      writtenBytes = 0
      checkedMs = nowMs
      lastMinFreeBytes = minFreeBytes
      // A file system without statfs is written until it refuses.
      return check(minFreeBytes).catch(() => undefined)
    }
  }
}
