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

/** Whether a variable of the daemon is kept from workers. */
export const isForDaemon = (name: string): boolean => daemonsOwn.some((pattern) => pattern.test(name))

/** The variables that steer Node are meant for the worker, so that the launcher keeps them from the daemon. */
const forWorker = /^AUTOPILOTD_WORKER_(.+)$/

type Variables = Readonly<Record<string, string>>

/** What workers get of the daemon's environment. Derived once, because each restart needs it. */
export const environmentFrom = (daemon: Readonly<Record<string, string | undefined>>) => {
  const inherited: Record<string, string> = {}
  for (const [name, value] of Object.entries(daemon)) {
    if (value === undefined) continue
    const kept = forWorker.exec(name)?.[1]
    if (kept !== undefined) inherited[kept] = value
    else if (!isForDaemon(name)) inherited[name] = value
  }
  const secrets = Object.entries(daemon).flatMap(([name, value = ""]) =>
    secretName.test(name) ? [value] : []
  )
  return {
    /**
     * The environment of a worker: defaults, the daemon's without the variables for the daemon alone, the env file, the
     * `env` table of the settings and the marks of supervision; the later ones win.
     */
    of: (envFile: Variables, envTable: Variables, id: string, defaults: Variables = {}): Variables => ({
      ...defaults,
      ...inherited,
      ...envFile,
      ...envTable,
      AUTOPILOTD_SUPERVISED: "1",
      [variable]: id
    }),
    /** The values that a worker may print and that nobody may read in verdicts and events. */
    secretValues: (envFile: Variables, envTable: Variables): ReadonlyArray<string> => [
      ...Object.values(envFile),
      ...Object.values(envTable),
      ...secrets
    ]
  }
}
