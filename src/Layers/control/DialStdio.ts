import * as Fs from "node:fs"
import type { Duplex, Readable, Writable } from "node:stream"
import { ControlFraming, unreadableRequest } from "../../Domain/control/ControlFraming.ts"
import { dialMarker } from "../../Domain/control/DialMarker.ts"
import { readersRefusal, refusalLine } from "../../Domain/control/ReadOnlyRequests.ts"
import type { Unanswered } from "../../Domain/control/Unanswered.ts"
import { exchangeLimits, socketAt } from "./Exchange.ts"

/** Two ends of a stream that another program holds, such as ssh. */
interface Ends {
  readonly input: Readable
  readonly output: Writable
}

/**
 * The end of input may mean that the other program is gone, which a pipe does not tell before the next write. The daemon
 * answers within seconds and writes to a subscriber every 15 seconds, so that a silence of this length is the end.
 */
const silenceMs = 18_000

/**
 * Passes the first request on if a reader may send it, and answers it otherwise. The daemon takes one request a connection,
 * so that everything behind the first is dropped: none of it may be read as another one.
 */
const passRequest = ({ input, output }: Ends, daemon: Duplex, over: () => void): void => {
  const framing = new ControlFraming()
  let isRead = false
  const refuse = (refusal: Parameters<typeof refusalLine>[0]) => {
    daemon.destroy()
    output.write(refusalLine(refusal), over)
  }
  const take = (outcome: ReturnType<ControlFraming["feed"]>) => {
    if (isRead || outcome._tag === "Incomplete") return
    isRead = true
    if (outcome._tag === "Refused") {
      return refuse({ message: unreadableRequest(outcome.reason), code: "bad_request" })
    }
    const refusal = readersRefusal(outcome.text)
    if (refusal === undefined) daemon.write(`${outcome.text}\n`)
    else refuse(refusal)
  }
  input.on("data", (chunk: Buffer) => take(framing.feed(chunk)))
  input.on("end", () => {
    take(framing.end())
    daemon.end()
  })
}

/** Joins two streams until one of them ends. The end of input half-closes the daemon's, whose answer still comes. */
const join = (ends: Ends, daemon: Duplex, isReadOnly: boolean): Promise<void> =>
  new Promise((resolve) => {
    const { input, output } = ends
    let silence: NodeJS.Timeout | undefined
    const over = () => {
      clearTimeout(silence)
      daemon.destroy()
      resolve()
    }
    const heard = () => silence?.refresh()
    // A reader that is gone.
    output.on("error", over)
    output.on("drain", heard)
    daemon.on("data", heard)
    // Follows the end and every error. The last bytes go first.
    daemon.on("close", () => output.write("", over))
    input.on("error", over)
    input.on("end", () => {
      silence = setTimeout(over, silenceMs)
    })
    output.write(dialMarker)
    daemon.pipe(output, { end: false })
    if (isReadOnly) passRequest(ends, daemon, over)
    else input.pipe(daemon)
  })

/** Connects to the socket. Its disk is asked first, in one of libuv's threads: connect(2) would hang with it. */
const connected = (path: string): Promise<Duplex | Unanswered> =>
  new Promise((resolve) => {
    const { connectMs: waitedMs } = exchangeLimits
    let waitedFor: "disk" | "connection" = "disk"
    let giveUp = () => {}
    const patience = setTimeout(() => {
      giveUp()
      resolve({ _tag: "Timeout", waitedFor, waitedMs })
    }, waitedMs)
    Fs.stat(path, () => {
      waitedFor = "connection"
      giveUp = socketAt(path)((opened) => {
        clearTimeout(patience)
        resolve(opened)
      })
    })
  })

/**
 * Joins a stream and the daemon's socket, until one of them ends. With `isReadOnly` no request that changes anything
 * reaches the daemon. Returns why there is no daemon, before anything was written.
 */
export const dialStdio = async (
  ends: Ends,
  path: string,
  isReadOnly: boolean
): Promise<Unanswered | undefined> => {
  const opened = await connected(path)
  if ("_tag" in opened) return opened
  await join(ends, opened, isReadOnly)
  return undefined
}
