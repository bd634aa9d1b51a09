import { describeEvent } from "../history/DaemonEvent.ts"
import { workerSentence } from "../status/WorkerSentence.ts"
import { localTime, type Zone } from "../text/LocalTime.ts"
import { harmlessEntry, printable } from "../text/Printable.ts"
import { type Level, type Style, styled } from "../text/Style.ts"
import type { SubscriptionLine } from "./Subscription.ts"

interface SubscriptionTextOptions {
  readonly zone: Zone
  readonly colour: boolean
}

const levelStyles: Readonly<Record<Level, Style | undefined>> = {
  info: undefined,
  warning: "warning",
  error: "error"
}

/** What a subscriber receives, in words: lines with their time, without newlines. A sign of life has none. */
export const subscriptionText = (
  line: SubscriptionLine,
  { colour, zone }: SubscriptionTextOptions
): ReadonlyArray<string> => {
  const entry = (atMs: number, project: string | undefined, text: string, style?: Style) => {
    const time = localTime(atMs, zone)
    const name = project === undefined ? "" : `${printable(project)}: `
    return colour
      ? `${styled("dim", time)} ${styled("note", name)}${styled(style, harmlessEntry(text))}`
      : `${time} ${name}${harmlessEntry(text)}`
  }
  switch (line.type) {
    case "snapshot":
      return line.projects.projects.map((row) =>
        entry(line.at, row.name, `Worker ${workerSentence(row, line.at)}`)
      )
    case "event": {
      const { level, text } = describeEvent(line.event)
      return [entry(line.at, line.project, text, levelStyles[level])]
    }
    case "log":
      return [entry(line.at, line.project, line.text)]
    case "notice":
      return [harmlessEntry(line.message)]
    case "alive":
      return []
  }
}
