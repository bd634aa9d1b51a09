/** What came before the line, and what came behind it; undefined as long as it has not come. */
interface Begun {
  readonly before: string
  readonly after: Uint8Array
}

/** The longest noise of start-up files that is waited through, in bytes. */
export const longestNoise = 65_536

/**
 * Finds a line in bytes. A start-up file may have left its last line open, so it need not stand at the beginning of one; a
 * terminal's driver may have put a carriage return at its end.
 */
export const behindLine = (bytes: Uint8Array, line: string): Begun | undefined => {
  const text = new TextDecoder("latin1").decode(bytes)
  for (const end of ["\n", "\r\n"]) {
    const at = text.indexOf(`${line}${end}`)
    if (at !== -1)
      return {
        before: new TextDecoder().decode(bytes.subarray(0, at)),
        after: bytes.subarray(at + line.length + end.length)
      }
  }
  return undefined
}
