// The floor: the least that a program must do to hear of a worker's exit. Arguments: the socket's path.
// Prints the time of each exit, in milliseconds since 1970.
import { createConnection } from "node:net"
import { createInterface } from "node:readline"

const socket = createConnection({ path: process.argv[2] })
socket.on("connect", () => socket.write('{"type":"Subscribe"}\n'))
createInterface({ input: socket }).on("line", (line) => {
  if (line.includes('"WorkerExited"')) console.log(performance.timeOrigin + performance.now())
})
