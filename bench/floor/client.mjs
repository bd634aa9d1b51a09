// The floor: the least that Node must do to ask on a socket and print the answer. Argument: the socket's path.
import { createConnection } from "node:net"

const socket = createConnection({ path: process.argv[2] })
socket.on("connect", () => socket.write('{"type":"Status"}'))
socket.pipe(process.stdout)
