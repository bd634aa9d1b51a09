import { type Finding, type FindingLevel, summary } from "./Finding.ts"
import { printable } from "../text/Printable.ts"
import { textColumns, wrapped } from "../text/TextLayout.ts"

const words: Record<FindingLevel, string> = { ok: "ok", warning: "warning", error: "ERROR" }
const colours: Record<FindingLevel, number> = { ok: 32, warning: 33, error: 31 }

const levelWidth = 9

const lines = ({ about, cure, level, text }: Finding, aboutWidth: number, colour: boolean) => {
  const indent = levelWidth + aboutWidth + 2
  const word = colour ? `\u001b[${colours[level]}m${words[level]}\u001b[0m` : words[level]
  const padding = " ".repeat(levelWidth - words[level].length)
  // A path on a narrow terminal is better over the edge than cut: wrapping is by words.
  const [first = "", ...rest] = [
    ...wrapped(printable(text), textColumns - indent),
    ...(cure === undefined ? [] : wrapped(`-> ${printable(cure)}`, textColumns - indent))
  ]
  return [
    `${word}${padding}${about.padEnd(aboutWidth)}  ${first}`.trimEnd(),
    ...rest.map((line) => " ".repeat(indent) + line)
  ]
}

/** One screen: a line for each finding, the cure below it, and how many are not well; ends in a newline. */
export const findingsText = (
  findings: ReadonlyArray<Finding>,
  { colour }: { readonly colour: boolean }
): string => {
  const aboutWidth = Math.max(0, ...findings.map(({ about }) => about.length))
  return [...findings.flatMap((each) => lines(each, aboutWidth, colour)), "", summary(findings)]
    .map((line) => `${line}\n`)
    .join("")
}
