import type { Explanation } from "./Explanation.ts"
import { rowOf } from "./HistoryData.ts"
import { historyTable, type HistoryTextOptions } from "./HistoryText.ts"

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${line}`)]

/** An explanation for people, ending in a newline. */
export const explanationText = (
  { advice, events, sentences }: Explanation,
  options: Pick<HistoryTextOptions, "colour" | "zone">
): string => {
  const table = events.length === 0 ? [] : historyTable(events, options).trimEnd().split("\n")
  const lines = [...sentences, ...section("What has happened", table), ...section("What you can do", advice)]
  return lines.map((line) => `${line}\n`).join("")
}

/** The same for programs. */
export const explanationData = ({ advice, events, sentences, state }: Explanation) => ({
  state,
  explanation: sentences,
  events: events.map(rowOf),
  advice
})
