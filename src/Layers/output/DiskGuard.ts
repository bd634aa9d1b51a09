import * as fs from "node:fs/promises"
import { minFreeBytesOn } from "../../Domain/output/DiskRoom.ts"
import { humanBytes } from "../../Domain/text/Amounts.ts"

/** How full a disk may become. */
interface DiskGuard {
  /**
   * Why so many bytes more must not be written to a folder's disk; undefined when they may. Without a number of bytes
   * that must stay free it is 256 MiB, but never more than 5 % of the disk.
   */
  readonly refusal: (bytes: number, minFreeBytes: number | undefined) => Promise<string | undefined>
}

/** The disk is looked at after so many bytes, or after so much time, because others fill it too. */
const lookBytes = 8 * 2 ** 20
const lookMs = 5000

/** Once it was too full, so much more must be free before it is not: it would be told every second else. */
const reliefFactor = 1.1

/** Looks rarely at the disk that holds `folder`. */
export const makeDiskGuard = (folder: string): DiskGuard => {
  let writtenBytes = 0
  let lookedMs = Number.NEGATIVE_INFINITY
  let isTooFull = false
  let lastMinFreeBytes: number | undefined

  const look = async (minFreeBytes: number | undefined): Promise<string | undefined> => {
    const { bavail, blocks, bsize } = await fs.statfs(folder)
    const freeBytes = bavail * bsize
    const wanted = minFreeBytesOn(blocks * bsize, minFreeBytes)
    isTooFull = freeBytes < wanted * (isTooFull ? reliefFactor : 1)
    return isTooFull
      ? `only ${humanBytes(freeBytes)} are free on its disk, and log.min_free_bytes (${humanBytes(wanted)}) are to stay free`
      : undefined
  }

  return {
    refusal: async (bytes, minFreeBytes) => {
      writtenBytes += bytes
      const nowMs = performance.now()
      const isDue =
        isTooFull ||
        minFreeBytes !== lastMinFreeBytes ||
        writtenBytes >= lookBytes ||
        nowMs - lookedMs >= lookMs
      if (!isDue) return undefined
      writtenBytes = 0
      lookedMs = nowMs
      lastMinFreeBytes = minFreeBytes
      // A file system that cannot say it is written until it refuses.
      return look(minFreeBytes).catch(() => undefined)
    }
  }
}
