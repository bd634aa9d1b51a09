import * as fs from "node:fs"

/** A file of /proc or /sys: the kernel generates its content whenever it is read from the beginning. */
export interface KernelFile {
  readonly path: string
  /** The current content. Throws Node's error. The file stays open, and is opened again after an error. */
  readonly text: () => string
  /** The next read opens the file again. */
  readonly close: () => void
}

/** Opens files that share one buffer, which grows to the largest of them. A read of an open file is one system call. */
export const kernelFiles = (): ((path: string) => KernelFile) => {
  let buffer = Buffer.allocUnsafeSlow(8 * 1024)

  const read = (descriptor: number): string => {
    for (;;) {
      const length = fs.readSync(descriptor, buffer, 0, buffer.length, 0)
      // The kernel returns the whole file at once: only a full buffer can mean that there is more.
      if (length < buffer.length) return buffer.toString("latin1", 0, length)
      buffer = Buffer.allocUnsafeSlow(buffer.length * 2)
    }
  }

  return (path) => {
    let descriptor: number | undefined
    const close = () => {
      if (descriptor !== undefined) fs.closeSync(descriptor)
      descriptor = undefined
    }
    return {
      path,
      close,
      text: () => {
        descriptor ??= fs.openSync(path, "r")
        try {
          return read(descriptor)
        } catch (cause) {
          close()
          throw cause
        }
      }
    }
  }
}
