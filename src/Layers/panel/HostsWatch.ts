import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RcRef from "effect/RcRef"
import * as Stream from "effect/Stream"
import { codeOf } from "../../Domain/control/ErrorCode.ts"
import type { SeenHost } from "../../Domain/panel/HostsView.ts"
import type { KnownHost } from "../../Domain/remote/Hosts.ts"
import { subscribe } from "../control/SubscriptionClient.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { remoteRetryDelays } from "../relay/Follow.ts"
import { knownHosts } from "../remote/HostsFile.ts"
import { remoteConnection } from "../remote/RemoteDaemon.ts"

/** The connections end when no page has looked for this long: a panel runs for weeks, a page for minutes. */
const idleTime = Duration.minutes(1)

/** Events of a machine within this time are shown together, by one more connection. */
const settleTime = Duration.seconds(3)

/** The machines of hosts.toml as the panel sees them. */
export class HostsWatch extends Context.Tag("HostsWatch")<
  HostsWatch,
  {
    /** The present state, in the order of the file. Connects to the machines while somebody looks. */
    readonly look: Effect.Effect<ReadonlyArray<SeenHost>>
  }
>() {}

/** `version` is that of this program. A file that cannot be used is told once, and shows no machine. */
export const layerOf = (version: string): Layer.Layer<HostsWatch, never, AutopilotHome> =>
  Layer.scoped(
    HostsWatch,
    Effect.gen(function* () {
      const { root } = yield* AutopilotHome
      const hosts = yield* knownHosts.pipe(
        Effect.catchTag("HostsInvalid", ({ message }) =>
          Effect.as(Effect.logWarning(`The panel shows no other machine: ${message}`), [])
        )
      )
      const seen = new Map<string, SeenHost["seen"]>()

      /** One connection, until an event. Returns whether there was one. */
      const seeOnce = (host: KnownHost, onSeen: () => void) =>
        subscribe(remoteConnection(host, root, version), {}).pipe(
          Stream.takeUntil(({ type }) => type === "event"),
          Stream.runFold(false, (hasChanged, line) => {
            if (line.type === "snapshot") {
              seen.set(host.name, line)
              onSeen()
            }
            return hasChanged || line.type === "event"
          }),
          Effect.catchAll((error) =>
            Effect.sync(() => {
              seen.set(host.name, { code: codeOf(error), reason: error.message })
              return false
            })
          ),
          Effect.catchAllDefect((defect) =>
            Effect.as(
              Effect.logError(`Host ${host.name} cannot be seen: this is a bug in autopilotd`, defect),
              false
            )
          )
        )

      /** Sees a machine anew after each of its events: the first line of a connection has its whole state. */
      const watch = Effect.fnUntraced(function* (host: KnownHost) {
        const delays = remoteRetryDelays
        for (let failures = 0; ; failures++) {
          const hasChanged = yield* seeOnce(host, () => (failures = 0))
          yield* Effect.sleep(hasChanged ? settleTime : (delays[Math.min(failures, delays.length - 1)] ?? 0))
        }
      })

      const watching = yield* RcRef.make({
        acquire: Effect.forEach(hosts, (host) => Effect.forkScoped(watch(host)), { discard: true }),
        idleTimeToLive: idleTime
      })
      return {
        look: Effect.map(Effect.scoped(RcRef.get(watching)), () =>
          hosts.map(({ name }): SeenHost => ({ name, seen: seen.get(name) ?? { _tag: "Asking" } }))
        )
      }
    })
  )
