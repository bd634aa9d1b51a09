import type { HistoryRecord } from "../history/HistoryRecord.ts"
import { restartsIn } from "../history/Restarts.ts"
import { counted, humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import type { ChartSpan } from "./ChartScale.ts"

/** What a mark says: the worker was started again, was killed or has failed, or the daemon has killed another process. */
type MarkKind = "restart" | "asked" | "kill" | "failed"

interface Happening {
  readonly atMs: number
  readonly kind: MarkKind
  readonly text: string
}

/** A vertical line of the chart: one happening, or several that would overlap. */
interface ChartMark {
  readonly atMs: number
  readonly kind: MarkKind
  readonly text: string
}

const maxLength = 160

/** Marks that are nearer than this share of the width are one. */
const nearness = 0.012

/** The happenings that the text of one mark names. */
const maxNamed = 4

const askedCause = "restart command"

const killsIn = (record: HistoryRecord): ReadonlyArray<Happening> => {
  const atMs = record.at
  switch (record._tag) {
    case "HogSignalled":
      // The SIGKILL that may follow is about the same process.
      return record.dryRun || record.signal === "SIGKILL"
        ? []
        : [
            {
              atMs,
              kind: "kill",
              text: `Killed ${printable(record.name, 40)} (${humanBytes(record.heldBytes)}): memory was low`
            }
          ]
    case "WorkerExited":
      return record.oomKill === undefined
        ? []
        : [{ atMs, kind: "kill", text: "The kernel killed the worker: out of memory" }]
    case "GaveUp":
      return [{ atMs, kind: "failed", text: `Gave up: ${printable(record.reason, maxLength)}` }]
    case "PersonNeeded":
      return [{ atMs, kind: "failed", text: `Stays down: ${printable(record.reason, maxLength)}` }]
    default:
      return []
  }
}

const worst: ReadonlyArray<MarkKind> = ["failed", "kill", "restart", "asked"]

const merged = (group: ReadonlyArray<Happening>): ChartMark => {
  const named = group.slice(0, maxNamed).map(({ text }) => text)
  const more = group.length - named.length
  return {
    atMs: group[0]?.atMs ?? 0,
    kind: worst.find((kind) => group.some((one) => one.kind === kind)) ?? "restart",
    text: [...named, ...(more > 0 ? [`and ${more} more`] : [])].join("; ")
  }
}

/** The restarts and kills of a span, as far apart as can be seen. `project` limits restarts to its worker. */
export const marksOf = (
  records: ReadonlyArray<HistoryRecord>,
  project: string | undefined,
  span: ChartSpan
): { readonly marks: ReadonlyArray<ChartMark>; readonly restarts: number; readonly kills: number } => {
  const isOurs = (record: HistoryRecord): boolean =>
    project === undefined || !("project" in record) || record.project === project
  const restarts = restartsIn(records)
    .filter((restart) => project === undefined || restart.project === project)
    .map(
      ({ at, cause }): Happening => ({
        atMs: at,
        kind: cause === askedCause ? "asked" : "restart",
        text: `Restart: ${printable(cause, maxLength)}`
      })
    )
  const others = records.filter(isOurs).flatMap(killsIn)
  const isShown = ({ atMs }: Happening): boolean => atMs >= span.fromMs && atMs <= span.toMs
  const all = [...restarts, ...others].filter(isShown).toSorted((one, other) => one.atMs - other.atMs)
  const groups: Array<Array<Happening>> = []
  for (const one of all) {
    const group = groups.at(-1)
    const isNear =
      one.atMs - (group?.[0]?.atMs ?? Number.NEGATIVE_INFINITY) < (span.toMs - span.fromMs) * nearness
    if (group !== undefined && isNear) group.push(one)
    else groups.push([one])
  }
  return {
    marks: groups.map(merged),
    restarts: restarts.filter(isShown).length,
    kills: others.filter((one) => one.kind === "kill" && isShown(one)).length
  }
}

/** `2 restarts and 1 kill`. */
export const markCount = ({
  kills,
  restarts
}: {
  readonly restarts: number
  readonly kills: number
}): string => `${counted(restarts, "restart")} and ${counted(kills, "kill")}`
