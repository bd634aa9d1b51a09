/** The machine's memory at one moment. */
export interface MemoryReading {
  /** MemAvailable: what a new program could take without swapping. */
  readonly availableBytes: number
  readonly totalBytes: number
}

/** Before the first reading. */
export const unread: MemoryReading = { availableBytes: 0, totalBytes: 0 }

const fieldBytes = (text: string, name: string): number | undefined => {
  const kibibytes = new RegExp(`^${name}: +([0-9]+) kB$`, "m").exec(text)?.at(1)
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

/**
 * Reads `/proc/meminfo`; undefined when it is not one. Kernels before 3.14 have no MemAvailable: MemFree is the
 * cautious stand-in. https://man7.org/linux/man-pages/man5/proc_meminfo.5.html
 */
export const parseMemInfo = (text: string): MemoryReading | undefined => {
  const totalBytes = fieldBytes(text, "MemTotal")
  const availableBytes = fieldBytes(text, "MemAvailable") ?? fieldBytes(text, "MemFree")
  return totalBytes === undefined || availableBytes === undefined ? undefined : { availableBytes, totalBytes }
}
