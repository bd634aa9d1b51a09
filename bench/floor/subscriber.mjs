// The floor: the least that a program must do to hear of an event. Arguments: the socket's path, and which event if not the
// exit of a worker. Prints the time of each, in milliseconds since 1970.
import { createConnection } from "node:net"
import { createInterface } from "node:readline"

const event = `"${process.argv[3] ?? "WorkerExited"}"`
const socket = createConnection({ path: process.argv[2] })
socket.on("connect", () => socket.write('{"type":"Subscribe"}\n'))
createInterface({ input: socket }).on("line", (line) => {
  if (line.includes(event)) console.log(performance.timeOrigin + performance.now())
})
