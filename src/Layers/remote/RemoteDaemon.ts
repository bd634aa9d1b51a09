import type { Duplex } from "node:stream"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { dialMarker, LineSearch } from "../../Domain/control/DialMarker.ts"
import type { RemoteHost } from "../../Domain/remote/HostUrl.ts"
import { sshStream } from "../../Domain/remote/SshCommand.ts"
import { noStream, SshFailure, sshFailure } from "../../Domain/remote/SshFailure.ts"
import { printable } from "../../Domain/text/Printable.ts"
import type { ControlConnection } from "../control/ControlClient.ts"
import type { Open } from "../control/Exchange.ts"
import { sshSurroundings } from "./SharedConnection.ts"
import { openSsh } from "./SshConnection.ts"

/** The usual limit of the wait for the first line of `dial-stdio`: ssh connects, and a login shell may look for Node. */
const openLimit = Duration.seconds(30)

/** The wait for the end of an ssh whose stream is over. */
const endLimit = Duration.seconds(2)

/** Reads up to the marker, and leaves the stream paused behind it. The result is the noise where none comes. */
const untilMarker = (stream: Duplex): Effect.Effect<{ readonly noise: string } | undefined> =>
  Effect.async((resume) => {
    const search = new LineSearch(dialMarker)
    const settle = (result: { readonly noise: string } | undefined) => {
      stream.off("data", read)
      for (const event of ["end", "close"]) stream.off(event, lost)
      resume(Effect.succeed(result))
    }
    const lost = () => settle(search.end())
    const read = (chunk: Buffer) => {
      const found = search.feed(chunk)
      if (found._tag === "Searching") return
      stream.pause()
      if (found._tag === "Missing") return settle(found)
      if (found.rest.length > 0) stream.unshift(Buffer.from(found.rest))
      settle(undefined)
    }
    stream.on("data", read)
    for (const event of ["end", "close"]) stream.on(event, lost)
  })

const opened = Effect.fnUntraced(function* (host: RemoteHost, root: string, version: string) {
  const here = yield* Effect.promise(() => sshSurroundings(host, root))
  const { ended, stream } = yield* openSsh(host, sshStream(host, here, { readOnly: true }))
  const missing = yield* untilMarker(stream)
  if (missing === undefined) return stream
  const end = yield* Effect.timeoutOption(ended, endLimit)
  const failure = end._tag === "Some" ? sshFailure({ ...end.value, host, version }) : undefined
  return yield* Effect.fail(failure ?? noStream(host, missing.noise))
})

/** The stream is there once: what it has carried cannot be sent again. */
const onceOpen = (stream: Duplex): Open => {
  let isTaken = false
  return (done) => {
    done(isTaken ? { _tag: "Unclear", problem: "was cut off" } : stream)
    isTaken = true
    return () => undefined
  }
}

const silent = (host: RemoteHost, limit: Duration.Duration): SshFailure =>
  new SshFailure(
    "HostUnreachable",
    host,
    `Host ${printable(host.name, 80)} has not answered within ${Duration.format(limit)}. Try what ssh says by itself: ssh ${printable(host.host, 80)} true`
  )

/**
 * The way to the daemon of another machine: `dial-stdio --read-only` there, over ssh, which asks nobody for anything. `root` is
 * the home of this machine, `version` the one of this program, `limit` that of the wait for its first line.
 */
export const remoteConnection = (
  host: RemoteHost,
  root: string,
  version: string,
  limit: Duration.Duration = openLimit
): ControlConnection => ({
  place: host.name,
  prepare: (): Effect.Effect<Open, SshFailure, Scope.Scope> =>
    opened(host, root, version).pipe(
      Effect.timeoutFail({ duration: limit, onTimeout: () => silent(host, limit) }),
      Effect.map(onceOpen)
    )
})
