import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import type { RelaySettings } from "../../Domain/relay/RelaySettings.ts"
import { hostNamed } from "../../Domain/remote/Hosts.ts"
import { quoted } from "../../Domain/text/Printable.ts"
import { layerOver } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome, prepare } from "../../Layers/daemon/AutopilotHome.ts"
import { OtherMachine } from "../../Layers/machine/HostName.ts"
import * as Following from "../../Layers/relay/Following.ts"
import { knownHosts } from "../../Layers/remote/HostsFile.ts"
import { remoteConnection } from "../../Layers/remote/RemoteDaemon.ts"
import { version } from "../Version.ts"
import { relayOf } from "./Relay.ts"

/** A scrape gives up after ten seconds. */
const answerLimit = Duration.seconds(8)

/**
 * `autopilotd relay --host`: follows the daemon of another machine, and tells the channels and receivers of this one. Its
 * place in that daemon's history and its lock are files of the host, so that no two relays disturb each other.
 */
export const relayElsewhere = Effect.fnUntraced(function* (name: string, settings: RelaySettings) {
  yield* prepare
  const home = yield* AutopilotHome
  const host = yield* Either.mapLeft(
    hostNamed(name, yield* knownHosts),
    (why) =>
      new UsageError({
        problem: `The host ${quoted(name)} cannot be used: ${why}.`,
        help: "autopilotd relay --help"
      })
  )
  const connection = (limit?: Duration.Duration) => remoteConnection(host, home.root, version, limit)
  // A name may be a URL.
  const file = encodeURIComponent(host.name)
  const ofHost = {
    ...home,
    notifyFile: `${home.root}/notify-${file}.json`,
    relayLockFile: `${home.root}/relay-${file}.lock`
  }
  yield* relayOf(settings, {
    name: `host ${host.name}`,
    because: "one is enough to tell everything once.",
    following: Following.layerElsewhere(connection())
  }).pipe(
    Effect.provide(Layer.merge(layerOver(connection(answerLimit)), Layer.succeed(AutopilotHome, ofHost))),
    Effect.provideService(OtherMachine, host.name)
  )
})
