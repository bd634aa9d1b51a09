const nameLine = /^Name:\t(.*)$/m
const uidLine = /^Uid:\t(.*)$/m
const swapLine = /^VmSwap:\s+([0-9]+) kB$/m
const shareLine = /^Pss:\s+([0-9]+) kB$/m
const swapShareLine = /^SwapPss:\s+([0-9]+) kB$/m
const openFilesLine = /^Max open files +([0-9]+|unlimited)/m

/** The bytes of a line that the kernel counts in kB. */
export const fieldBytes = (text: string, line: RegExp): number | undefined => {
  const bytes = Number(line.exec(text)?.at(1)) * 1024
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The name and the four user ids (real, effective, saved, file system) in `/proc/<pid>/status`. */
export const parseStatus = (text: string) => ({
  name: nameLine.exec(text)?.at(1) ?? "",
  uids: uidLine.exec(text)?.at(1)?.split("\t").map(Number) ?? []
})

/** Swap in `/proc/<pid>/status`; undefined for a kernel thread, which has no memory of its own. */
export const parseSwapBytes = (status: string): number | undefined => fieldBytes(status, swapLine)

/**
 * Proportional memory and swap in `/proc/<pid>/smaps_rollup`. A kernel without swap may omit `SwapPss`.
 * https://docs.kernel.org/filesystems/proc.html
 */
export const parseProportionalBytes = (rollup: string): number | undefined => {
  const bytes = fieldBytes(rollup, shareLine)
  return bytes === undefined ? undefined : bytes + (fieldBytes(rollup, swapShareLine) ?? 0)
}

/** The soft limit of open files in `/proc/<pid>/limits`: a number or `unlimited`. */
export const parseOpenFilesLimit = (limits: string): string | undefined => openFilesLine.exec(limits)?.at(1)
