import { createServer } from "node:net"
import { messageOf } from "../files/SystemError.ts"

/** A port of this machine cannot lead to another one. */
export class LocalPortTaken extends Error {
  readonly _tag = "PortUnusable"

  constructor(port: number, reason: string) {
    super(
      `Port ${port} of 127.0.0.1 cannot lead to the other machine: ${reason}. Leave --port out, or choose another one.`
    )
  }
}

/** A port of 127.0.0.1 on which nothing listens: `wanted`, or any for 0. Throws `LocalPortTaken`. */
export const freePort = (wanted: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", (cause) => reject(new LocalPortTaken(wanted, messageOf(cause))))
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : wanted
      server.close(() => resolve(port))
    })
  })
