import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { randomDigits } from "./RandomId.ts"

/** A hung disk may hold up a writer for long. A temporary file that is older than this has none any more. */
const abandonedAfterMs = 60_000

const temporaryName = (path: string): string => `.${basename(path)}.${randomDigits(12)}.new`

/** Removes the temporary files of writers of a path that were killed. */
export const removeAbandoned = async (path: string): Promise<void> => {
  const folder = dirname(path)
  const start = `.${basename(path)}.`
  const isTemporary = (name: string) =>
    name.startsWith(start) && /^[0-9a-f]{12}\.new$/.test(name.slice(start.length))
  for (const name of (await fs.readdir(folder).catch(() => [])).filter(isTemporary)) {
    const file = join(folder, name)
    const stat = await fs.lstat(file).catch(() => undefined)
    if (stat !== undefined && Date.now() - stat.mtimeMs > abandonedAfterMs)
      await fs.rm(file, { force: true }).catch(() => undefined)
  }
}

/**
 * Creates a file with this content, or puts it in the place of one; `mode` is 0600 unless given. A crash or a power
 * failure at any moment leaves the former content or the new one, whole. `beforeRename` runs when the new content is on
 * the disk; if it fails, the file stays as it is. A power failure may bring the former content back, unless
 * `syncFolder` follows. With `isDurable: false` nothing waits for the disk, a power failure may also leave an empty file,
 * and the next durable write removes what killed writers have left.
 */
export const replaceFile = async (
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  {
    beforeRename,
    isDurable = true,
    mode = 0o600
  }: {
    readonly mode?: number
    readonly beforeRename?: () => Promise<void>
    readonly isDurable?: boolean
  } = {}
): Promise<void> => {
  const temporary = join(dirname(path), temporaryName(path))
  try {
    // "x" is O_EXCL: it follows no symbolic link and opens no file of another writer.
    const file = await fs.open(temporary, "wx", 0o600)
    try {
      await fs.writeFile(file, content)
      // Only the daemon saves without waiting for the disk, and its umask keeps the owner's part of a mode.
      if (isDurable || mode !== 0o600) await file.chmod(mode)
      if (isDurable) await file.sync()
    } finally {
      await file.close()
    }
    await beforeRename?.()
    await fs.rename(temporary, path)
  } catch (cause) {
    await fs.rm(temporary, { force: true }).catch(() => undefined)
    throw cause
  }
  if (isDurable) await removeAbandoned(path)
}

/** The smallest page of Linux. A signal stops a write only between two pages, SIGKILL too. */
const pageBytes = 4096

/**
 * Writes a line over the content of a file that `replaceFile` has made, synchronously: for a local disk. Spaces fill up what
 * the former content has more. A crash leaves the former content or the new one; a power failure may leave a damaged file. ext4
 * flushes a file that is renamed over another one, which takes ten times as long. Returns false where the file has to be
 * replaced, and throws what the system says.
 */
export const overwriteNow = (path: string, line: string): boolean => {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { mode, nlink, size } = fstatSync(descriptor)
    const length = Math.max(size, Buffer.byteLength(line))
    if (mode !== (constants.S_IFREG | 0o600) || nlink !== 1 || length > pageBytes) return false
    const text = Buffer.alloc(length, " ")
    text.write(line.trimEnd())
    text.write("\n", length - 1)
    return writeSync(descriptor, text, 0, length, 0) === length
  } finally {
    closeSync(descriptor)
  }
}

/** Writes a file in a folder and removes it. Rejects where the disk is full or the folder may not be written. */
export const tryWriting = async (folder: string): Promise<void> => {
  const probe = join(folder, ".probe")
  const temporary = join(folder, temporaryName(probe))
  try {
    await fs.writeFile(temporary, "can be written\n", { mode: 0o600, flag: "wx" })
  } finally {
    await fs.unlink(temporary).catch(() => undefined)
  }
  await removeAbandoned(probe)
}

/** Makes a new name in the folder of `path` outlast a power failure. Does nothing where the file system cannot. */
export const syncFolder = async (path: string): Promise<void> => {
  const folder = await fs.open(dirname(path), "r").catch(() => undefined)
  await folder?.sync().catch(() => undefined)
  await folder?.close()
}
