import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { RelaySettings } from "../../Domain/relay/RelaySettings.ts"
import { relaySettingsForm } from "../../Domain/relay/RelaySettingsShape.ts"
import { jsonIn } from "../../Domain/Shape.ts"
import { taken } from "../../Domain/toml/Form.ts"

/** What the daemon that has started this relay tells it on its standard input. */
interface Lifeline {
  readonly settings: RelaySettings
  /** Returns when the daemon is gone, however it ended. */
  readonly cut: Effect.Effect<void>
}

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
      const settings = taken(relaySettingsForm(), jsonIn(line.slice(0, at)))
      // Nothing more is read, but the end of the pipe is noticed.
      line = ""
      resume(
        Either.match(settings, {
          onLeft: ({ path }) =>
            Effect.fail(`the daemon's settings cannot be read: "${path.join(".")}" is not as expected`),
          // The form is that of the schema of RelaySettings.
          onRight: (found) => Effect.succeed({ settings: found as RelaySettings, cut })
        })
      )
    })
    .once("end", end)
    .once("error", end)
})
