import * as Schema from "effect/Schema"

/** How the leader of a worker's tree ended, as the kernel told its parent: exactly one of the two is set. */
export const WorkerExit = Schema.Struct({
  code: Schema.NullOr(Schema.Int),
  signal: Schema.NullOr(Schema.String)
})
export type WorkerExit = typeof WorkerExit.Type

/** Whether the worker says that its work is finished. */
export const isClean = (exit: WorkerExit): boolean => exit.code === 0

/** `exit code 3`, `killed by SIGSEGV`. */
export const describe = (exit: WorkerExit): string =>
  exit.signal === null ? `exit code ${exit.code}` : `killed by ${exit.signal}`
