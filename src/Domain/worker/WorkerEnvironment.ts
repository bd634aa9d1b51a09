import { variable } from "../WorkerId.ts"

/** What speaks to the daemon alone: with it a worker could report readiness for us, or think npm had started it. */
const daemonsOwn = [
  /^SYSTEMD_EXEC_PID$/,
  /^NOTIFY_SOCKET$/,
  /^WATCHDOG_/,
  /^LISTEN_/,
  /^FDSTORE$/,
  // The pressure of a group in which the worker may not be.
  /^MEMORY_PRESSURE_/,
  /^INVOCATION_ID$/,
  /^JOURNAL_STREAM$/,
  /^npm_/,
  /^INIT_CWD$/,
  /^AUTOPILOTD_/
]

/**
 * The worker's environment: the daemon's without what is the daemon's own, over it the env file, over that the
 * `env` table of the settings (it may differ by project), and last the marks of supervision.
 */
export const workerEnvironment = (
  daemon: Readonly<Record<string, string | undefined>>,
  envFile: Readonly<Record<string, string>>,
  envTable: Readonly<Record<string, string>>,
  id: string
): Readonly<Record<string, string>> => {
  const inherited: Record<string, string> = {}
  for (const [name, value] of Object.entries(daemon)) {
    if (value !== undefined && !daemonsOwn.some((pattern) => pattern.test(name))) inherited[name] = value
  }
  return { ...inherited, ...envFile, ...envTable, AUTOPILOTD_SUPERVISED: "1", [variable]: id }
}
