import type { Readable } from "node:stream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RemoteHost } from "../../Domain/remote/HostUrl.ts"
import { sshCommand } from "../../Domain/remote/SshCommand.ts"
import { noStream, type SshFailure, sshFailure } from "../../Domain/remote/SshFailure.ts"
import { Caller } from "../daemon/Caller.ts"
import { type ProgramNotStarted, startPiped } from "../files/ProgramStart.ts"
import { sshSurroundings } from "./SharedConnection.ts"
import { openSsh } from "./SshConnection.ts"

/** In characters: the answer of another machine has no bound of its own. */
const mostText = 1_000_000

/** Everything that a program prints, to its end or to what is too much. */
const textOf = (stream: Readable): Effect.Effect<string> =>
  Effect.async((resume) => {
    let text = ""
    const done = () => resume(Effect.succeed(text))
    stream.on("data", (bytes: Buffer) => {
      text += bytes.toString("utf8")
      if (text.length > mostText) done()
    })
    for (const event of ["end", "close"]) stream.once(event, done)
  })

/** The last line that begins an object: a start-up file of a shell may print before it. */
const answerIn = (text: string): string | undefined =>
  text.split("\n").findLast((line) => line.startsWith("{"))

/** Runs a command of autopilotd with `--json` on another machine, and returns the text of its answer. */
export const remoteAnswer = (
  host: RemoteHost,
  root: string,
  version: string,
  words: ReadonlyArray<string>
): Effect.Effect<string, SshFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const here = yield* Effect.promise(() => sshSurroundings(host, root))
    const run = {
      words: [...words, "--json"],
      variables: {},
      wantsLoginPath: true,
      endsWithInput: false,
      marksBegin: false,
      hasTerminal: false
    }
    const { ended, stream } = yield* openSsh(host, sshCommand(host, { ...here, canAsk: false }, run))
    const text = yield* textOf(stream)
    const answer = answerIn(text)
    if (answer !== undefined) return answer
    const failure = sshFailure({ ...(yield* ended), host, version })
    return yield* Effect.fail(failure ?? noStream(host, text))
  })

/** The same of this program on this machine; empty when it printed no answer. */
export const ownAnswer = (
  words: ReadonlyArray<string>
): Effect.Effect<string, ProgramNotStarted, Caller | Scope.Scope> =>
  Effect.gen(function* () {
    const { program } = yield* Caller
    const [runtime, ...args] = program
    const child = yield* Effect.acquireRelease(
      startPiped(runtime, [...args, ...words, "--json"], {}, ({ stderr }) => stderr.resume()),
      (started) => Effect.sync(() => started.kill("SIGTERM"))
    )
    return answerIn(yield* textOf(child.stdout)) ?? ""
  })
