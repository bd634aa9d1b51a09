// The floor: the least that Node must do to answer one JSON request a connection. Arguments: the socket's path, a file
// with the bytes of every answer.
import { readFileSync } from "node:fs"
import { createServer } from "node:net"

const [path, answerFile] = process.argv.slice(2)
const answer = readFileSync(answerFile)

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
}).listen({ path, backlog: 511 })
