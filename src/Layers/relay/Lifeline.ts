import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { RelaySettings } from "../../Domain/relay/RelaySettings.ts"

/** What the daemon that has started this relay tells it on its standard input. */
interface Lifeline {
  readonly settings: RelaySettings
  /** Returns when the daemon is gone, however it ended. */
  readonly cut: Effect.Effect<void>
}

const decode = Schema.decodeUnknownEither(Schema.parseJson(RelaySettings))

/** Reads the settings from standard input, which the daemon keeps open as long as it lives. */
export const lifeline: Effect.Effect<Lifeline, string> = Effect.async((resume) => {
  let line = ""
  const listeners = new Set<() => void>()
  let isCut = false
  const end = () => {
    isCut = true
    resume(Effect.fail("the daemon has sent no settings"))
    for (const listener of listeners) listener()
  }
  const cut = Effect.async<void>((done) => {
    if (isCut) return done(Effect.void)
    listeners.add(() => done(Effect.void))
  })
  process.stdin
    .setEncoding("utf8")
    .on("data", (text: string) => {
      line += text
      const at = line.indexOf("\n")
      if (at === -1) return
      const settings = decode(line.slice(0, at))
      // Nothing more is read, but the end of the pipe is noticed.
      line = ""
      resume(
        Either.match(settings, {
          onLeft: ({ message }) => Effect.fail(`the daemon's settings cannot be read: ${message}`),
          onRight: (found) => Effect.succeed({ settings: found, cut })
        })
      )
    })
    .once("end", end)
    .once("error", end)
})
