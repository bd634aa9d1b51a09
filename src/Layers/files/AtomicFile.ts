import * as fs from "node:fs/promises"

/**
 * Makes a small file hold this text, closed to others. A crash at any moment leaves the old text or the new one, whole.
 * One writer at a time: its temporary name is always the same, so that what a crash leaves is used by the next.
 */
export const replaceFile = async (path: string, text: string): Promise<void> => {
  const file = await fs.open(`${path}.new`, "w", 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await fs.rename(`${path}.new`, path)
}
