import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import { relayKeys, relaySettingsElsewhere, relaySettingsOf } from "../../Domain/relay/RelaySettings.ts"
import { loadUsable } from "../../Layers/settings/SettingsLoader.ts"
import { Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"

/** What a relay that a user starts has to do. Refuses settings that give it nothing to do. */
export const wantedRelay = Effect.fnUntraced(function* (invocation: Invocation) {
  const { host, metricsPort } = invocation.options
  if (metricsPort !== undefined && host === undefined) {
    const problem = "relay takes --metrics-port only with --host: metrics.listen is the address of its own."
    return yield* Effect.fail(new UsageError({ problem, help: "autopilotd relay --help" }))
  }
  const settings = yield* loadUsable(yield* sourcesOf(invocation))
  const wanted =
    host === undefined ? relaySettingsOf(settings) : relaySettingsElsewhere(settings, metricsPort)
  if (wanted !== undefined) return wanted
  const { path } = settings.settingsFile
  return yield* new Refused({
    reason:
      host === undefined
        ? `The relay has nothing to do: ${path} sets none of ${relayKeys.join(", ")}. ` +
          "Set one, for example with: autopilotd config set heartbeat.url_file heartbeat.url"
        : `The relay has nothing to do for ${host}: ${path} on this machine sets neither notify.to nor metrics.otlp. ` +
          "Set one, for example with: autopilotd config set notify.to.here.type desktop, or give --metrics-port",
    code: "settings_invalid"
  })
})
