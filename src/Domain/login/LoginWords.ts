import type { ProjectName } from "../Project.ts"
import { localTime, type Zone } from "../text/LocalTime.ts"
import { printable } from "../text/Printable.ts"

/** Why a start or a worker waits for its login. */
export type LoginWait =
  /** The usage limit that `by` has met. */
  | { readonly _tag: "Limit"; readonly by: ProjectName; readonly untilMs: number }
  /** The first answer of `by`, which tries whether the limit is over. */
  | { readonly _tag: "Probe"; readonly by: ProjectName; readonly untilMs: number }
  /** The reset of a window whose share has reached `agent.hold_at`. */
  | {
      readonly _tag: "Window"
      readonly name: string
      readonly used: number
      readonly holdAt: number
      readonly untilMs: number
    }

const dayMs = 86_400_000

/** A time that stays true while it is shown: no "tomorrow". */
const clock = (atMs: number, nowMs: number, zone: Zone): string =>
  atMs - nowMs < dayMs ? localTime(atMs, zone).slice(11, 16) : localTime(atMs, zone).slice(0, 16)

const windowNames: Readonly<Record<string, string>> = { five_hour: "five-hour", seven_day: "weekly" }

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`

/** One sentence without a full stop; its subject is the worker. */
export const describeWait = (wait: LoginWait, project: ProjectName, nowMs: number, zone: Zone): string => {
  const until = clock(wait.untilMs, nowMs, zone)
  switch (wait._tag) {
    case "Limit":
      return wait.by === project
        ? `waits for the usage limit of its login until ${until}`
        : `waits with project ${wait.by} for the usage limit of the same login until ${until}`
    case "Probe":
      return `waits for project ${wait.by}, which tries first whether the usage limit of the same login is over`
    case "Window": {
      const name = printable(windowNames[wait.name] ?? wait.name.replaceAll("_", " "), 40)
      return `${percent(wait.used)} of the ${name} window of its login is used (agent.hold_at is ${percent(wait.holdAt)}): it goes on at ${until}`
    }
  }
}
