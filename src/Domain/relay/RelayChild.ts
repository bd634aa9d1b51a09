import { variable } from "../WorkerId.ts"
import { isForDaemon } from "../worker/WorkerEnvironment.ts"
import { relayVariable } from "./RelayVariable.ts"

/** The certificates of the user's own authorities, which the launcher keeps from the daemon. */
const certificates = "NODE_EXTRA_CA_CERTS"

/**
 * The environment of a relay: the daemon's, without what is for the daemon alone, and without the mark of a worker, by which
 * a later daemon would kill it.
 */
export const relayEnvironment = (
  daemon: Readonly<Record<string, string | undefined>>,
  home: string
): Readonly<Record<string, string>> => {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(daemon))
    if (value !== undefined && name !== variable && !isForDaemon(name)) env[name] = value
  const given = daemon[`AUTOPILOTD_WORKER_${certificates}`]
  return {
    ...env,
    ...(given === undefined ? {} : { [certificates]: given }),
    AUTOPILOT_HOME: home,
    [relayVariable]: "1"
  }
}

/** The delay before the next start: 1, 2, 4 ... 300 seconds. `failures` is at least 1. */
export const relayDelayMs = (failures: number): number => Math.min(1000 * 2 ** (failures - 1), 300_000)
