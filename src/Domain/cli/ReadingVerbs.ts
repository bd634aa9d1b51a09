import type { Verb } from "./CommandTable.ts"

/** The commands that read the history, and whose texts therefore are in a bundle of their own. */
const readingVerbs = ["history", "why"] as const satisfies ReadonlyArray<Verb>
export type ReadingVerb = (typeof readingVerbs)[number]

export const readingVerbOf = (verb: Verb): ReadingVerb | undefined => readingVerbs.find((one) => one === verb)
