import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { NotifyFacts } from "../../Domain/doctor/NotifyFindings.ts"
import { isOnDesktop } from "../../Domain/notify/DesktopChannel.ts"
import { perhaps } from "../../Domain/Wire.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { Caller } from "../daemon/Caller.ts"
import { readTextFile } from "../files/TextFile.ts"

/** The part of the notifier's state that tells of failures. */
const Failures = Schema.parseJson(
  Schema.Struct({
    channels: Schema.Record({
      key: Schema.String,
      value: Schema.Struct({ failure: perhaps(Schema.Struct({ reason: Schema.String })) })
    })
  })
)

const decode = Schema.decodeUnknownOption(Failures)

/** Looks at what the notifier has left, without changing it. What cannot be read counts as nothing. */
export const inspectNotify = (
  settingsFile: string
): Effect.Effect<NotifyFacts, never, AutopilotHome | Caller> =>
  Effect.gen(function* () {
    const { notifyFile } = yield* AutopilotHome
    const { environment } = yield* Caller
    const state = yield* Effect.option(readTextFile(notifyFile))
    const settings = yield* Effect.option(readTextFile(settingsFile))
    const known = Option.flatMap(state, ({ text }) => decode(text))
    const channels = Option.match(known, { onNone: () => ({}), onSome: (one) => one.channels })
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
