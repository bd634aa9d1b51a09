import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
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

/** A change of hosts.toml shows on an open page after this. */
const fileInterval = Duration.seconds(2)

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
      const home = yield* AutopilotHome
      const { root } = home
      let hosts: ReadonlyArray<KnownHost> = []
      let problem: string | undefined
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

      const readFile = knownHosts.pipe(
        Effect.provideService(AutopilotHome, home),
        Effect.tap(() => Effect.sync(() => (problem = undefined))),
        Effect.catchTag("HostsInvalid", ({ message }) =>
          Effect.suspend(() => {
            const isKnown = problem === message
            problem = message
            return isKnown ? Effect.void : Effect.logWarning(`The panel shows no other machine: ${message}`)
          }).pipe(Effect.as([]))
        )
      )

      /** Sees the machines that the file names now, and no others. */
      const watchAll = Effect.gen(function* () {
        const watches = yield* FiberMap.make<string>()
        const follow = Effect.gen(function* () {
          hosts = yield* readFile
          const wanted = new Map(hosts.map((host) => [JSON.stringify(host), host]))
          for (const [key] of watches) if (!wanted.has(key)) yield* FiberMap.remove(watches, key)
          for (const [key, host] of wanted) {
            if (yield* FiberMap.has(watches, key)) continue
            seen.delete(host.name)
            yield* FiberMap.run(watches, key, watch(host))
          }
        })
        yield* follow
        yield* Effect.forkScoped(Effect.forever(Effect.delay(follow, fileInterval)))
      })

      const watching = yield* RcRef.make({ acquire: watchAll, idleTimeToLive: idleTime })
      return {
        look: Effect.map(Effect.scoped(RcRef.get(watching)), () =>
          hosts.map(({ name }): SeenHost => ({ name, seen: seen.get(name) ?? { _tag: "Asking" } }))
        )
      }
    })
  )
