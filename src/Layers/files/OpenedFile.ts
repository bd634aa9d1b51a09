import { constants } from "node:fs"
import * as fs from "node:fs/promises"

/** In the form of the system's own errors: `SystemError` knows the code. */
const isPipe = (path: string): Error =>
  Object.assign(new Error(`ESPIPE: a pipe, not a file, open '${path}'`), { code: "ESPIPE" })

/**
 * Opens a file that may have any size. A pipe in its place is refused: to open, read or write one may take for ever, and
 * keeps a thread. `flags` are those of open(2); a new file has the mode 0600.
 */
export const openedFile = async (path: string, flags: number): Promise<fs.FileHandle> => {
  const { O_NOCTTY, O_NONBLOCK } = constants
  const file = await fs.open(path, flags | O_NONBLOCK | O_NOCTTY, 0o600)
  if (!(await file.stat()).isFIFO()) return file
  await file.close()
  throw isPipe(path)
}

/** The flags of a file that is read, and of one that grows. */
export const toRead = constants.O_RDONLY
export const toAppend = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT
