import * as Schema from "effect/Schema"
import { NotifyKind, notifyKinds } from "../settings/NotifySettings.ts"
import { counted } from "../text/Amounts.ts"
import { perhaps } from "../Wire.ts"
import type { Notification } from "./Notification.ts"
import type { QuietHours } from "./QuietHours.ts"

/** Notifications of one kind about one project that the quiet hours hold back: their number, and the last one's words. */
export const Held = Schema.Struct({
  kind: NotifyKind,
  project: perhaps(Schema.String),
  count: Schema.Int,
  title: Schema.String,
  /** The first line of its text. */
  line: Schema.String
})
export type Held = typeof Held.Type

/** The held ones with some more of one kind. */
export const withHeld = (
  held: ReadonlyArray<Held>,
  { kind, project, text, title }: Notification,
  count: number
): ReadonlyArray<Held> => {
  const known = notifyKinds.find((one) => one === kind)
  if (known === undefined) return held
  const isSame = (one: Held) => one.kind === known && one.project === project
  const before = held.find(isSame)?.count ?? 0
  const [line = ""] = text.split("\n")
  return [
    ...held.filter((one) => !isSame(one)),
    { kind: known, ...(project === undefined ? {} : { project }), count: before + count, title, line }
  ]
}

const inWords: Readonly<Record<NotifyKind, (count: number) => string>> = {
  failed: (count) => counted(count, "failure"),
  crash: (count) => counted(count, "crash", "crashes"),
  done: (count) => `${count} finished`,
  limit: (count) => counted(count, "usage limit"),
  memory: (count) => counted(count, "memory event"),
  budget: (count) => counted(count, "budget warning"),
  daemon: (count) => `${count} of the daemon`,
  recovered: (count) => `${count} working again`
}

/** The worst first. */
const order: ReadonlyArray<NotifyKind> = [
  "failed",
  "daemon",
  "crash",
  "memory",
  "budget",
  "limit",
  "done",
  "recovered"
]

const mostLines = 20

const lineOf = ({ count, line, title }: Held): string =>
  count === 1 ? `${title}: ${line}` : `${title} (${count} times), the last time: ${line}`

/** One notification for all that the quiet hours have held back. */
export const digestOf = (held: ReadonlyArray<Held>, hours: QuietHours, nowMs: number): Notification => {
  const sums = order.flatMap((kind) => {
    const count = held.reduce((sum, one) => (one.kind === kind ? sum + one.count : sum), 0)
    return count === 0 ? [] : [inWords[kind](count)]
  })
  const sorted = held.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
  const more = sorted.length - mostLines
  const isNight = hours !== false && hours.slice(0, 5) > hours.slice(6)
  return {
    id: `digest-${nowMs}`,
    kind: "digest",
    urgency: "normal",
    title: `${isNight ? "The night" : "The quiet hours"}: ${sums.join(", ")}`,
    text: [...sorted.slice(0, mostLines).map(lineOf), ...(more > 0 ? [`and ${more} more`] : [])].join("\n"),
    atMs: nowMs,
    count: held.reduce((sum, one) => sum + one.count, 0)
  }
}
