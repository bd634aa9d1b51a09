/** The default of `log.min_free_bytes`: this number of bytes, but at most this share of the disk. */
const usualFreeBytes = 256 * 2 ** 20
const usualShare = 0.05

/** The bytes to keep free on a disk of `diskBytes`: the setting, or else the default. */
export const minFreeBytesOn = (diskBytes: number, set: number | undefined): number =>
  set ?? Math.min(usualFreeBytes, Math.floor(usualShare * diskBytes))
