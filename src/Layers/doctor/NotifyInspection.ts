import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { NotifyFacts } from "../../Domain/doctor/NotifyFindings.ts"
import { isOnDesktop } from "../../Domain/notify/DesktopChannel.ts"
import { textReader } from "../../Domain/Shape.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { Caller } from "../daemon/Caller.ts"
import { readTextFile } from "../files/TextFile.ts"

/** The part of the notifier's state that tells of failures. */
interface Failures {
  readonly channels: Readonly<Record<string, { readonly failure?: { readonly reason: string } }>>
}

const failuresIn = textReader<Failures>(() => {
  const failure = { fields: [["reason", "string"]] } as const
  return { fields: [["channels", { fields: [], others: { fields: [["failure", failure, "absent"]] } }]] }
})

/** Looks at what the notifier has left, without changing it. What cannot be read counts as nothing. */
export const inspectNotify = (
  settingsFile: string
): Effect.Effect<NotifyFacts, never, AutopilotHome | Caller> =>
  Effect.gen(function* () {
    const { notifyFile } = yield* AutopilotHome
    const { environment } = yield* Caller
    const state = yield* Effect.option(readTextFile(notifyFile))
    const settings = yield* Effect.option(readTextFile(settingsFile))
    const { channels } = (Option.isSome(state) && failuresIn(state.value.text)) || { channels: {} }
    return {
      readableByOthers: Option.exists(settings, (one) => one.readableByOthers) ? settingsFile : undefined,
      failures: new Map(
        Object.entries(channels).flatMap(([name, { failure }]) =>
          failure === undefined ? [] : [[name, failure.reason] as const]
        )
      ),
      hasDesktop: isOnDesktop(environment)
    }
  })
