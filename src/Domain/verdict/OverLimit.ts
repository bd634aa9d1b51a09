import * as Schema from "effect/Schema"
import { humanBytes } from "../text/Amounts.ts"

/** What follows from a worker that holds more than its limit. */

export const LimitOutcome = Schema.Literal(
  "restart",
  /** It would be restarted, but `memory.dry_run` is on. */
  "dry-run",
  /** It is within its limit when memory that its processes share is counted once. */
  "shared"
)
export type LimitOutcome = typeof LimitOutcome.Type
/** A worker above its limit, in whole numbers, as it is told and written down. */

export const LimitFigures = Schema.Struct({
  outcome: LimitOutcome,
  limitBytes: Schema.Int,
  /** Memory and swap, pages that its processes share counted for each. */
  treeBytes: Schema.Int,
  /** The same, with shared pages divided among those who share them. This decides. */
  proportionalBytes: Schema.Int,
  processes: Schema.Int
})
export type LimitFigures = typeof LimitFigures.Type
const holders = (processes: number): string =>
  processes === 1 ? "its only process holds" : `its ${processes} processes hold`
/** Both amounts, also where they read the same when they are rounded. */
const against = (bytes: number, limitBytes: number): string => {
  const [amount, limit] = [humanBytes(bytes), humanBytes(limitBytes)]
  return amount === limit
    ? `${amount}, ${humanBytes(bytes - limitBytes)} more than the limit of ${limit}`
    : `${amount}, the limit is ${limit}`
}
/** Why a worker is restarted: `worker-limit: its 7 processes hold 4.2 GiB, the limit is 4 GiB`. */

export const limitReason = ({
  limitBytes,
  processes,
  proportionalBytes
}: Pick<LimitFigures, "limitBytes" | "processes" | "proportionalBytes">): string =>
  `worker-limit: ${holders(processes)} ${against(proportionalBytes, limitBytes)}`
/** Pages that are shared, where there are so many that the figures of other programs will differ. */
const asOthersCount = ({ proportionalBytes, treeBytes }: LimitFigures): string => {
  const [amount, other] = [humanBytes(proportionalBytes), humanBytes(treeBytes)]
  return amount === other ? "" : ` (${other} when what they share is counted for each)`
}
/** A worker above its limit as a person reads it, with the figures that have led to what is done. */

export const describeLimit = (figures: LimitFigures): string => {
  const { limitBytes, outcome, processes, proportionalBytes, treeBytes } = figures
  const above = `Above memory.worker_limit_bytes: ${holders(processes)} ${against(proportionalBytes, limitBytes)}${asOthersCount(figures)}`
  switch (outcome) {
    case "restart":
      return above
    case "dry-run":
      return `${above}. It would be restarted, but memory.dry_run is on`
    case "shared":
      return (
        `Not above memory.worker_limit_bytes: ${holders(processes)} ${humanBytes(treeBytes)} when what they share is ` +
        `counted for each, but ${humanBytes(proportionalBytes)} together, and the limit is ${humanBytes(limitBytes)}`
      )
  }
}
