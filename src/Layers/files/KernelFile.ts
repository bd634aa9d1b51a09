import * as fs from "node:fs"

/** A file that the kernel makes up anew whenever it is read from its beginning. */
export interface KernelFile {
  readonly path: string
  /** What it says now. Throws Node's error when it cannot be read. It is kept open, and opened anew after an error. */
  readonly text: () => string
  /** It may be read again: that opens it. */
  readonly close: () => void
}

/** Files that share one buffer, grown to the largest of them. Reading one that is open makes one call of the kernel. */
export const kernelFiles = (): ((path: string) => KernelFile) => {
  let buffer = Buffer.allocUnsafeSlow(8 * 1024)

  const read = (descriptor: number): string => {
    for (;;) {
      const length = fs.readSync(descriptor, buffer, 0, buffer.length, 0)
      // Such a file is made up as a whole: only a full buffer can mean that there is more.
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
