import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { relayKeys, relaySettingsOf } from "../../Domain/relay/RelaySettings.ts"
import { loadUsable } from "../../Layers/settings/SettingsLoader.ts"
import { Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"

/** What a relay that a user starts has to do. Refuses settings that give it nothing to do. */
export const wantedRelay = Effect.fnUntraced(function* (invocation: Invocation) {
  const settings = yield* loadUsable(yield* sourcesOf(invocation))
  return (
    relaySettingsOf(settings) ??
    (yield* new Refused({
      reason:
        `The relay has nothing to do: ${settings.settingsFile.path} sets none of ${relayKeys.join(", ")}. ` +
        "Set one, for example with: autopilotd config set heartbeat.url_file heartbeat.url",
      code: "settings_invalid"
    }))
  )
})
