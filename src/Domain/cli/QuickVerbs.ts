import type { Verb } from "./CommandTable.ts"

/** The commands that only talk to the daemon. */
const talkingVerbs = [
  "status",
  "projects",
  "start-worker",
  "stop-worker",
  "restart-worker",
  "switch",
  "use",
  "budget show",
  "budget reset",
  "reload"
] as const satisfies ReadonlyArray<Verb>
export type TalkingVerb = (typeof talkingVerbs)[number]

/** The commands that read the history, and whose texts therefore are in a bundle of their own. */
const readingVerbs = ["history", "why"] as const satisfies ReadonlyArray<Verb>
export type ReadingVerb = (typeof readingVerbs)[number]

export const talkingVerbOf = (verb: Verb): TalkingVerb | undefined => talkingVerbs.find((one) => one === verb)
export const readingVerbOf = (verb: Verb): ReadingVerb | undefined => readingVerbs.find((one) => one === verb)
