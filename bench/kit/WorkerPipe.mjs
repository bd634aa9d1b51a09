// A named pipe on which workers say their pids as their first act, so that nobody has to be asked whether they run.
import { spawnSync } from "node:child_process"
import { constants, openSync } from "node:fs"
import { Socket } from "node:net"
import { within } from "./Session.mjs"

export const listen = ({ atEnd }, path) => {
  if (spawnSync("mkfifo", ["-m", "600", path]).status !== 0) throw new Error(`mkfifo ${path} failed`)
  // For writing too, so that it has no end when a worker dies.
  const socket = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK) })
  atEnd(() => socket.destroy())
  const pids = []
  let look = () => undefined
  socket.on("data", (chunk) => {
    const atMs = performance.now()
    pids.push(...chunk.toString("latin1").trim().split("\n").map(Number))
    look(atMs)
  })
  /** The next `count` workers to speak: their pids, and when the last of them did, as performance.now() counts. */
  const next = (count = 1) => {
    const from = pids.length
    const heard = new Promise((done) => {
      look = (atMs) => pids.length >= from + count && done({ atMs, pids: pids.slice(from) })
    })
    return within(60_000, `${count} workers on ${path}`, heard)
  }
  /** The worker that spoke last. */
  return { path, next, pid: () => pids.at(-1) }
}
