/** The default of `log.min_free_bytes`: this much, but at most this share of the disk. */
const usualFreeBytes = 256 * 2 ** 20
const usualShare = 0.05

/** How many bytes of a disk of `diskBytes` stay free: what the settings say, else the default. */
export const minFreeBytesOn = (diskBytes: number, set: number | undefined): number =>
  set ?? Math.min(usualFreeBytes, Math.floor(usualShare * diskBytes))
