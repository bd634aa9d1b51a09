import * as fs from "node:fs"
import { join, resolve } from "node:path"

/** The checkout. */
export const root = resolve(import.meta.dirname, "../..")

const below = (page: string, heading: string, language: string): ReadonlyArray<string> => {
  const text = fs.readFileSync(join(root, "docs", page), "utf8")
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ""
  const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter(([, named]) => named === language)
    .map((match) => match[2] ?? "")
  if (blocks.length === 0) throw new Error(`docs/${page} has no ${language} block below "${heading}"`)
  return blocks
}

/**
 * The lines that a page of docs tells the reader to type below a heading: its code blocks of shell, in their order. What a
 * test runs is what stands there.
 */
export const linesBelow = (page: string, heading: string): ReadonlyArray<string> => below(page, heading, "sh")

/** The drop-in of a unit that a page has below a heading. */
export const dropInBelow = (page: string, heading: string): string => below(page, heading, "ini").join("")
