import type * as Net from "node:net"

/** A third of what a socket of Linux takes without a reader. */
const pieceBytes = 64 * 1024

/**
 * Writes a line and ends the socket. A long line goes piece by piece, and `onTaken` runs when the kernel has taken one: its client
 * reads. As a whole it would show no progress before its end.
 */
export const endInPieces = (socket: Net.Socket, line: string | Uint8Array, onTaken: () => void): void => {
  const bytes = typeof line === "string" ? Buffer.from(line) : line
  const put = (from: number): void => {
    const to = from + pieceBytes
    if (to >= bytes.length) return void socket.end(bytes.subarray(from))
    socket.write(bytes.subarray(from, to), (error) => {
      if (error) return
      onTaken()
      put(to)
    })
  }
  put(0)
}
