import { type KernelFile, kernelFiles } from "./KernelFile.ts"

let kernelUuid: KernelFile | undefined

/**
 * A random UUID (version 4), from the kernel where it can be read (random(4)): OpenSSL, which Node asks, takes 4 ms for the first
 * random number of a process.
 */
export const randomUuid = (): string => {
  try {
    kernelUuid ??= kernelFiles()("/proc/sys/kernel/random/uuid")
    return kernelUuid.text().trim()
  } catch {
    return crypto.randomUUID()
  }
}

/** Random hexadecimal digits, at most 12 of them: the next digit of a UUID is its version. */
export const randomDigits = (count: number): string => randomUuid().replaceAll("-", "").slice(0, count)
