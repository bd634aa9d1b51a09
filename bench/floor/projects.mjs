// The floor: the least that Node must do to run many workers, read what they say and answer two requests. Arguments: the
// socket's path, a folder with the bytes of every answer, the grace in ms, how many workers, the command of each.
// On SIGTERM it ends all of them, those that outlast the grace by KILL, and exits once all have exited.
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"

const [path, answers, graceMs, count, command, ...args] = process.argv.slice(2)
const read = (name) => readFileSync(join(answers, name))
const answer = { Status: read("Status"), Projects: read("Projects") }
const running = new Set()

// First, for a worker that has spoken may bring the signal at once.
process.once("SIGTERM", () => {
  const signalAll = (signal) => {
    for (const child of running) process.kill(-child.pid, signal)
  }
  const exitOnceGone = () => running.size === 0 && process.exit(0)
  for (const child of running) child.once("exit", exitOnceGone)
  signalAll("SIGTERM")
  setTimeout(() => signalAll("SIGKILL"), Number(graceMs))
  exitOnceGone()
})

for (let n = 0; n < Number(count); n++) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true })
  child.stdout.resume()
  child.stderr.resume()
  running.add(child)
  child.once("exit", () => running.delete(child))
}

createServer({ allowHalfOpen: true }, (socket) => {
  let text = ""
  socket.on("error", () => undefined)
  socket.on("data", (chunk) => {
    text += chunk.toString("utf8")
    try {
      socket.end(answer[JSON.parse(text).type])
    } catch {
      return // not complete yet
    }
  })
  socket.on("end", () => socket.end())
}).listen({ path, backlog: 511 })
