import { midnightBefore, type Zone } from "../text/LocalTime.ts"
import { printable } from "../text/Printable.ts"
import { type CauseCount, causesOf, type Restart } from "./Restarts.ts"

/** `once`, `2 times`. */
const times = (count: number): string => (count === 1 ? "once" : `${count} times`)

/** After a bad night all causes would fill a page. */
const maxCauses = 4

const maxCauseLength = 120

const cause = ({ cause: name, restarts }: CauseCount): string =>
  `${times(restarts)} ${printable(name, maxCauseLength)}`

const causes = (restarts: ReadonlyArray<Restart>): string => {
  const all = causesOf(restarts)
  const rest = all.slice(maxCauses)
  const others = rest.reduce((sum, { restarts: count }) => sum + count, 0)
  const [only] = all
  if (only !== undefined && all.length === 1) return printable(only.cause, maxCauseLength)
  return [
    ...all.slice(0, maxCauses).map(cause),
    ...(others === 0 ? [] : [`${times(others)} for other reasons`])
  ].join(", ")
}

const dayMs = 86_400_000

/** Sentences about the number of restarts of one project and their causes. `name` begins the first one. */
export const restartSentences = (
  name: string,
  restarts: ReadonlyArray<Restart>,
  nowMs: number,
  zone: Zone
): ReadonlyArray<string> => {
  const today = restarts.filter(({ at }) => at >= midnightBefore(nowMs, zone))
  const week = restarts.filter(({ at }) => at >= midnightBefore(nowMs - 6 * dayMs, zone))
  if (week.length === 0) return [`${name} has not restarted in the last seven days.`]
  return [
    today.length === 0
      ? `${name} has not restarted today.`
      : `${name} has restarted ${times(today.length)} today: ${causes(today)}.`,
    ...(week.length === today.length
      ? []
      : [`In the last seven days it has restarted ${times(week.length)}: ${causes(week)}.`])
  ]
}
