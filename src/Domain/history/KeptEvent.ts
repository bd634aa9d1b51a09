import type { DaemonEvent } from "./DaemonEvent.ts"

/**
 * What is told while it lasts and would only push older events out of the history. What it is about is kept: the
 * change of the level and each decision about memory; the warning of an env file is told at every start, and lost lines
 * are counted in the worker's log, where they are missing.
 */
const noise: ReadonlySet<DaemonEvent["_tag"]> = new Set<DaemonEvent["_tag"]>([
  "ShortOfMemory",
  "EnvFileDoubtful",
  "OutputDropped"
])

/** Whether an event is kept in the history. */
export const isKept = ({ _tag }: DaemonEvent): boolean => !noise.has(_tag)
