import * as Schema from "effect/Schema"

/** The exit status of a leader. Exactly one of the two is set. */
export const WorkerExit = Schema.Struct({
  code: Schema.NullOr(Schema.Int),
  signal: Schema.NullOr(Schema.String)
})
export type WorkerExit = typeof WorkerExit.Type

/** Exit code 0: the work is finished. */
export const isClean = (exit: WorkerExit): boolean => exit.code === 0

/** Shells, and programs that catch a signal to clean up, exit with 128 and its number. */
const signalsByCode: ReadonlyMap<number | null, string> = new Map([
  [129, "SIGHUP"],
  [130, "SIGINT"],
  [131, "SIGQUIT"],
  [132, "SIGILL"],
  [133, "SIGTRAP"],
  [134, "SIGABRT"],
  [135, "SIGBUS"],
  [136, "SIGFPE"],
  [137, "SIGKILL"],
  [139, "SIGSEGV"],
  [141, "SIGPIPE"],
  [143, "SIGTERM"],
  [159, "SIGSYS"]
])

/** The signal that killed the leader, or the child whose status a shell passes on; undefined without one. */
export const signalOf = (exit: WorkerExit): string | undefined => exit.signal ?? signalsByCode.get(exit.code)

/** `exit code 3`, `exit code 143 (SIGTERM)`, `killed by SIGSEGV`. */
export const describeExit = (exit: WorkerExit): string => {
  if (exit.signal !== null) return `killed by ${exit.signal}`
  const signal = signalsByCode.get(exit.code)
  return `exit code ${exit.code}${signal === undefined ? "" : ` (${signal})`}`
}
