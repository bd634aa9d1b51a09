import * as Schema from "effect/Schema"

/** How the leader of a worker's tree ended, as the kernel told its parent: exactly one of the two is set. */
export const WorkerExit = Schema.Struct({
  code: Schema.NullOr(Schema.Int),
  signal: Schema.NullOr(Schema.String)
})
export type WorkerExit = typeof WorkerExit.Type

/** Whether the worker says that its work is finished. */
export const isClean = (exit: WorkerExit): boolean => exit.code === 0

/** Shells, and programs that catch a signal to clean up, report it as 128 and its number. */
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

/** The signal by which a worker, or the child of which a shell reports the end, was killed; undefined: by none. */
export const signalOf = (exit: WorkerExit): string | undefined => exit.signal ?? signalsByCode.get(exit.code)

/** `exit code 3`, `exit code 143 (SIGTERM)`, `killed by SIGSEGV`. */
export const describeExit = (exit: WorkerExit): string => {
  if (exit.signal !== null) return `killed by ${exit.signal}`
  const signal = signalsByCode.get(exit.code)
  return `exit code ${exit.code}${signal === undefined ? "" : ` (${signal})`}`
}
