import { variable } from "../WorkerId.ts"

/** Variables for the daemon alone: with them a worker could report readiness to systemd, or believe that npm started it. */
const daemonsOwn = [
  /^SYSTEMD_EXEC_PID$/,
  /^NOTIFY_SOCKET$/,
  /^WATCHDOG_/,
  /^LISTEN_/,
  /^FDSTORE$/,
  // systemd sets it for the daemon's cgroup, and the worker may have its own.
  /^MEMORY_PRESSURE_/,
  /^INVOCATION_ID$/,
  /^JOURNAL_STREAM$/,
  /^npm_/,
  /^INIT_CWD$/,
  // The launcher's; that of the user reaches the worker under another name.
  /^UV_THREADPOOL_SIZE$/,
  /^AUTOPILOTD_/
]

/** The names of variables that hold secrets, also where a user exports them in a shell. */
const secretName = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i

/** The values that a worker may print and that nobody may read in verdicts and events. */
export const secretValuesOf = (
  daemon: Readonly<Record<string, string | undefined>>,
  envFile: Readonly<Record<string, string>>,
  envTable: Readonly<Record<string, string>>
): ReadonlyArray<string> => [
  ...Object.values(envFile),
  ...Object.values(envTable),
  ...Object.entries(daemon).flatMap(([name, value = ""]) => (secretName.test(name) ? [value] : []))
]
/** Whether a variable of the daemon is kept from workers. */
export const isForDaemon = (name: string): boolean => daemonsOwn.some((pattern) => pattern.test(name))

/** The variables that steer Node are meant for the worker, so that the launcher keeps them from the daemon. */
const forWorker = /^AUTOPILOTD_WORKER_(.+)$/

/**
 * The environment of a worker: defaults, the daemon's without the variables for the daemon alone, the env file, the `env`
 * table of the settings and the marks of supervision; the later ones win.
 */
export const workerEnvironment = (
  daemon: Readonly<Record<string, string | undefined>>,
  envFile: Readonly<Record<string, string>>,
  envTable: Readonly<Record<string, string>>,
  id: string,
  defaults: Readonly<Record<string, string>> = {}
): Readonly<Record<string, string>> => {
  const inherited: Record<string, string> = {}
  for (const [name, value] of Object.entries(daemon)) {
    if (value === undefined) continue
    const kept = forWorker.exec(name)?.[1]
    if (kept !== undefined) inherited[kept] = value
    else if (!isForDaemon(name)) inherited[name] = value
  }
  return { ...defaults, ...inherited, ...envFile, ...envTable, AUTOPILOTD_SUPERVISED: "1", [variable]: id }
}
