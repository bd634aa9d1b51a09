import * as Schema from "effect/Schema"
import { humanBytes } from "../text/Amounts.ts"

/** The daemon's reaction to a worker above `memory.worker_limit_bytes`. */
export const LimitOutcome = Schema.Literal(
  "restart",
  /** `memory.dry_run` prevents the restart. */
  "dry-run",
  /** The worker is within its limit when pages shared by its processes are counted once. */
  "shared"
)
export type LimitOutcome = typeof LimitOutcome.Type

/** The figures of a worker above its limit. */
export const LimitFigures = Schema.Struct({
  outcome: LimitOutcome,
  limitBytes: Schema.Int,
  /** Memory and swap, with shared pages counted for each process (RSS). */
  treeBytes: Schema.Int,
  /** Memory and swap, with shared pages divided among the processes that share them (PSS). This decides. */
  proportionalBytes: Schema.Int,
  processes: Schema.Int
})
export type LimitFigures = typeof LimitFigures.Type

const holders = (processes: number): string =>
  processes === 1 ? "its only process holds" : `its ${processes} processes hold`

/** Names the difference where both amounts round to the same text. */
const against = (bytes: number, limitBytes: number): string => {
  const [amount, limit] = [humanBytes(bytes), humanBytes(limitBytes)]
  return amount === limit
    ? `${amount}, ${humanBytes(bytes - limitBytes)} more than the limit of ${limit}`
    : `${amount}, the limit is ${limit}`
}

/** The reason of the restart: `worker-limit: its 7 processes hold 4.2 GiB, the limit is 4 GiB`. */
export const limitReason = ({
  limitBytes,
  processes,
  proportionalBytes
}: Pick<LimitFigures, "limitBytes" | "processes" | "proportionalBytes">): string =>
  `worker-limit: ${holders(processes)} ${against(proportionalBytes, limitBytes)}`

/** The amount that other programs show, where shared pages make a difference. */
const asOthersCount = ({ proportionalBytes, treeBytes }: LimitFigures): string => {
  const [amount, other] = [humanBytes(proportionalBytes), humanBytes(treeBytes)]
  return amount === other ? "" : ` (${other} with shared pages counted for each process)`
}

/** The event as the log shows it. */
export const describeLimit = (figures: LimitFigures): string => {
  const { limitBytes, outcome, processes, proportionalBytes, treeBytes } = figures
  const above = `Above memory.worker_limit_bytes: ${holders(processes)} ${against(proportionalBytes, limitBytes)}${asOthersCount(figures)}`
  switch (outcome) {
    case "restart":
      return above
    case "dry-run":
      return `${above}. The daemon does not restart it because memory.dry_run is on`
    case "shared":
      return (
        `Not above memory.worker_limit_bytes: ${holders(processes)} ${humanBytes(treeBytes)} with shared pages ` +
        `counted for each process, but ${humanBytes(proportionalBytes)} with shared pages counted once; the limit is ${humanBytes(limitBytes)}`
      )
  }
}
