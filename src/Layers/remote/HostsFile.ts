import * as Effect from "effect/Effect"
import type { KnownHost } from "../../Domain/remote/Hosts.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { HostsInvalid, readHosts } from "./HostsText.ts"

/** The hosts of hosts.toml in the home, in the order of the file; none without the file. */
export const knownHosts: Effect.Effect<
  ReadonlyArray<KnownHost>,
  HostsInvalid,
  AutopilotHome
> = Effect.flatMap(AutopilotHome, ({ root }) =>
  Effect.tryPromise({ try: () => readHosts(root), catch: (cause) => cause }).pipe(
    Effect.catchAll((cause) => (cause instanceof HostsInvalid ? Effect.fail(cause) : Effect.die(cause)))
  )
)
