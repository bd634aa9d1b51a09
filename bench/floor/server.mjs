// The floor: the least that Node must do to answer one JSON request a connection. Arguments: the socket's path, a file
// with the bytes of every answer, and a command whose output it reads meanwhile, and keeps nowhere.
import { spawn } from "node:child_process"
import { createWriteStream, readFileSync } from "node:fs"
import { createServer } from "node:net"

const [path, answerFile, command, ...args] = process.argv.slice(2)
const answer = readFileSync(answerFile)

if (command !== undefined) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] })
  child.stdout.pipe(createWriteStream("/dev/null"))
  process.once("SIGTERM", () => {
    child.kill("SIGTERM")
    child.once("exit", () => process.exit(0))
  })
}

createServer({ allowHalfOpen: true }, (socket) => {
  let text = ""
  socket.on("error", () => undefined)
  socket.on("data", (chunk) => {
    text += chunk.toString("utf8")
    try {
      JSON.parse(text)
    } catch {
      return // not complete yet
    }
    socket.end(answer)
  })
  socket.on("end", () => socket.end())
}).listen({ path, backlog: 1024 })
