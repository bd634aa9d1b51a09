import { variable } from "../WorkerId.ts"
import { isForDaemon } from "../worker/WorkerEnvironment.ts"
import { relayVariable } from "./RelayVariable.ts"

/** The certificates of the user's own authorities, which the launcher keeps from the daemon. */
const certificates = "NODE_EXTRA_CA_CERTS"

/**
 * The free memory at the end of its heap that glibc keeps, in bytes (mallopt(3)). Set, it stays as it is; otherwise it grows
 * with what Node needs at the start, and the relay would hold that for ever: 8 MiB.
 */
const trimThreshold = { name: "MALLOC_TRIM_THRESHOLD_", value: "131072" }

/**
 * Options of Node for a process that waits: without the optimizing compiler, and with less memory for speed. They save
 * 8 MiB, and no measurable time.
 */
export const relayNodeOptions: ReadonlyArray<string> = ["--no-opt", "--optimize-for-size"]

/** Whether a variable is meant for the relay alone, and not for the programs that it runs. */
export const isForRelay = (name: string): boolean => name === relayVariable || name === trimThreshold.name

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
    [trimThreshold.name]: trimThreshold.value,
    ...env,
    ...(given === undefined ? {} : { [certificates]: given }),
    AUTOPILOT_HOME: home,
    [relayVariable]: "1"
  }
}

/** The delay before the next start: 1, 2, 4 ... 300 seconds. `failures` is at least 1. */
export const relayDelayMs = (failures: number): number => Math.min(1000 * 2 ** (failures - 1), 300_000)
