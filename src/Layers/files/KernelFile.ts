import * as fs from "node:fs"

/** Half of the smallest page: a piece that is shorter is the last. */
const leastPiece = 2048

/** A file of /proc or /sys: the kernel generates its content whenever it is read from the beginning. */
export interface KernelFile {
  readonly path: string
  /** The current content. Throws Node's error. The file stays open, and is opened again after an error. */
  readonly text: () => string
  /** The next read opens the file again. */
  readonly close: () => void
}

/** Opens files that share one buffer, which grows to the largest of them. A short file that is open takes one system call. */
export const kernelFiles = (): ((path: string) => KernelFile) => {
  let buffer = Buffer.allocUnsafeSlow(8 * 1024)

  const read = (descriptor: number): string => {
    for (let length = 0; ; ) {
      if (buffer.length - length < 2 * leastPiece)
        buffer = Buffer.concat([buffer, Buffer.allocUnsafeSlow(buffer.length)])
      const count = fs.readSync(descriptor, buffer, length, buffer.length - length, length)
      length += count
      // The kernel hands out a list of lines in pieces of nearly a page, and anything else at once.
      if (count < leastPiece) return buffer.toString("latin1", 0, length)
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
