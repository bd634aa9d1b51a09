import { type LogPlace, openLog, rotatedLogs, successorOf } from "./RotatedLogs.ts"

const blockBytes = 64 * 1024
const newline = 0x0a

const split = (piece: Buffer): ReadonlyArray<string> =>
  piece.toString("latin1", 0, piece.length - 1).split("\n")

/** Reads a log from a place on, through all newer files. */
export const makeLogReader = (path: string) => {
  let place: LogPlace | undefined
  let rest = Buffer.alloc(0)
  const block = Buffer.allocUnsafe(blockBytes)

  /** Returns the next piece of the file; empty at its end. */
  const readOn = async ({ handle, offset }: LogPlace): Promise<Buffer> => {
    const { bytesRead } = await handle.read(block, 0, blockBytes, offset)
    if (bytesRead === 0 && (await handle.stat()).size < offset) {
      // A user has truncated the file: new lines start at its beginning.
      place = { handle, offset: 0 }
      rest = Buffer.alloc(0)
      return readOn(place)
    }
    place = { handle, offset: offset + bytesRead }
    return block.subarray(0, bytesRead)
  }

  const linesOf = (piece: Buffer): ReadonlyArray<string> => {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const end = bytes.lastIndexOf(newline) + 1
    rest = Buffer.from(bytes.subarray(end))
    return end === 0 ? [] : split(bytes.subarray(0, end))
  }

  /** Returns the unfinished last line of a file that no longer grows. */
  const lastPiece = (): ReadonlyArray<string> => {
    const line = rest
    rest = Buffer.alloc(0)
    return line.length === 0 ? [] : [line.toString("latin1")]
  }

  return {
    startAt: (start: LogPlace | undefined) => {
      place = start
    },
    close: async () => {
      await place?.handle.close()
    },
    lastPiece,
    /** Returns the next lines; undefined at the end of the newest file. */
    next: async (): Promise<ReadonlyArray<string> | undefined> => {
      const current = place
      if (current === undefined) {
        // There was no file at first, so all lines are new.
        const oldest = (await rotatedLogs(path)).at(-1)
        const handle = oldest === undefined ? undefined : await openLog(oldest)
        if (handle === undefined) return undefined
        place = { handle, offset: 0 }
        return []
      }
      const piece = await readOn(current)
      if (piece.length > 0) return linesOf(piece)
      const successor = await successorOf(path, current.handle)
      if (successor === undefined) return undefined
      // Lines written between the last read and the rotation.
      const late = await readOn(place ?? current)
      if (late.length > 0) {
        await successor.close()
        return linesOf(late)
      }
      await current.handle.close()
      place = { handle: successor, offset: 0 }
      return lastPiece()
    }
  }
}
