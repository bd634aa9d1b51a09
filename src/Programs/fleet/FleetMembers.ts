import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import { codeOf } from "../../Domain/control/ErrorCode.ts"
import type { FleetHost, HostProblem } from "../../Domain/fleet/FleetText.ts"
import { hostNamed, type KnownHost } from "../../Domain/remote/Hosts.ts"
import { thisMachine } from "../../Domain/remote/HostUrl.ts"
import { quoted } from "../../Domain/text/Printable.ts"
import {
  type ControlClientError,
  type ControlConnection,
  localConnection
} from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { isHomeInUse } from "../../Layers/daemon/HomeUse.ts"
import { knownHosts } from "../../Layers/remote/HostsFile.ts"
import { remoteConnection } from "../../Layers/remote/RemoteDaemon.ts"
import { Refused } from "../Refused.ts"
import { version } from "../Version.ts"

/** A host, and the way to its daemon. */
export interface Member extends FleetHost {
  readonly connection: ControlConnection
  /** Undefined for this machine. */
  readonly remote: KnownHost | undefined
}

export const problemFrom = (error: ControlClientError): HostProblem => ({
  code: codeOf(error),
  reason: error.message
})

const local = (socket: string): Member => ({
  name: thisMachine,
  connection: localConnection(socket),
  remote: undefined
})

/**
 * The hosts that `--hosts` names, else those of hosts.toml, in the order of the file, behind this machine: it belongs to them
 * if it has a daemon.toml, or a daemon runs.
 */
export const fleetMembers = Effect.fnUntraced(function* ({ options, verb }: Invocation) {
  const { root, socket } = yield* AutopilotHome
  const known = yield* knownHosts
  const member = (host: KnownHost): Member => ({
    name: host.name,
    ...(host.color === undefined ? {} : { color: host.color }),
    connection: remoteConnection(host, root, version),
    remote: host
  })
  if (options.hosts !== undefined) {
    const names = [...new Set(options.hosts.split(",").map((name) => name.trim()))]
    return yield* Effect.forEach(names, (name) =>
      name === thisMachine
        ? Effect.succeed(local(socket))
        : Either.mapBoth(hostNamed(name, known), {
            onLeft: (why) =>
              new UsageError({
                problem: `${quoted(name)} in --hosts cannot be used: ${why}.`,
                help: `autopilotd ${verb} --help`
              }),
            onRight: member
          })
    )
  }
  const members = [...((yield* isHomeInUse) ? [local(socket)] : []), ...known.map(member)]
  if (members.length > 0) return members
  return yield* new Refused({
    reason:
      `There is no host to look at: ${root}/hosts.toml names none, and no daemon is on this machine. ` +
      'Write one into it: [hosts.box] and below it url = "ssh://me@box"',
    code: "settings_invalid"
  })
})
