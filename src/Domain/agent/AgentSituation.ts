import { humanDuration } from "../text/Amounts.ts"
import { quoted } from "../text/Printable.ts"
import { listed } from "../text/TextLayout.ts"
import { type AgentSeen, hasSucceeded } from "./AgentSeen.ts"

/** Only a person can help the agent on. */
export interface Blocked {
  readonly why: "permission" | "login" | "question"
  /** In words that continue `The agent `. */
  readonly text: string
  readonly sinceMs: number
}

/** The agent runs and waits: for its usage limit, or for an API that does not answer. */
export interface AgentWait {
  readonly on: "limit" | "api"
  readonly text: string
  readonly sinceMs: number
  /** When it tries again, as far as it is known. */
  readonly untilMs: number | undefined
}

/** The agent has finished, and its process stays for what it has left in the background. */
export interface Lingering {
  readonly text: string
  readonly sinceMs: number
  /** When it wakes up by itself, or the daemon ends it. */
  readonly untilMs: number | undefined
}

/** The number of denied calls in a row after which the agent has found no other way. */
const manyDenials = 3

const asksLogin = /please run \/login|not logged in|authentication_failed|oauth token has expired/i

/** A question mark at the end, perhaps within quotes or emphasis. */
const isQuestion = (text: string): boolean => /\?["'”’)\]*_`]*\s*$/.test(text)

const hasLeftWork = ({ tasks }: AgentSeen): boolean => tasks.running.length > 0 || tasks.wakeUp !== undefined

/** Whether the agent cannot go on without a person. */
export const blockedOf = (agent: AgentSeen): Blocked | undefined => {
  const { denials, error, result, retry, work } = agent
  if (denials.inARow >= manyDenials) {
    return {
      why: "permission",
      text: `was denied ${denials.tool ?? "a tool"} ${denials.inARow} times in a row: nobody is there to allow it`,
      sinceMs: denials.atMs ?? 0
    }
  }
  const says = [error?.error, error?.text].find((text) => text !== undefined && asksLogin.test(text))
  if (says !== undefined || retry?.error === "authentication_failed") {
    const sinceMs = error?.atMs ?? retry?.sinceMs ?? 0
    return {
      why: "login",
      text: "needs a login (run claude, and then /login in it) or a valid API key",
      sinceMs
    }
  }
  const last = work.lastAnswer?.text
  return result !== undefined &&
    hasSucceeded(agent) &&
    !hasLeftWork(agent) &&
    last !== undefined &&
    isQuestion(last)
    ? {
        why: "question",
        text: `has finished with a question: ${quoted(lastSentence(last))}`,
        sinceMs: result.atMs
      }
    : undefined
}

const lastSentence = (text: string): string => text.split(/(?<=[.!?])\s+/).at(-1) ?? text

/** Retries that go on for so long, or a delay of so long, are worth a word. */
const longMs = 60_000

const earliest = (times: ReadonlyArray<number | undefined>): number | undefined => {
  const known = times.filter((atMs) => atMs !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** Whether the agent waits inside of its process. */
export const waitOf = ({ rateLimit, retry }: AgentSeen, nowMs: number): AgentWait | undefined => {
  if (retry === undefined) return undefined
  const { delayMs = 0, sinceMs } = retry
  if (nowMs - sinceMs < longMs && delayMs < longMs && rateLimit?.status !== "rejected") return undefined
  const resetsAtMs = rateLimit?.isUsingOverage === true ? undefined : rateLimit?.resetsAtMs
  if (rateLimit?.status === "rejected" && resetsAtMs !== undefined && resetsAtMs > nowMs) {
    return { on: "limit", text: "waits for the end of its usage limit", sinceMs, untilMs: resetsAtMs }
  }
  if (nowMs - sinceMs < longMs && delayMs < longMs) return undefined
  const answer = retry.status === undefined ? "does not answer" : `answers with status ${retry.status}`
  const untilMs = retry.delayMs === undefined ? undefined : retry.atMs + retry.delayMs
  return { on: "api", text: `waits for the API, which ${answer}: attempt ${retry.attempt}`, sinceMs, untilMs }
}

/** When `waitOf` has another answer without a further line; undefined where only a line changes it. */
export const waitChangesMs = ({ rateLimit, retry }: AgentSeen, nowMs: number): number | undefined => {
  if (retry === undefined) return undefined
  const times = [retry.sinceMs + longMs, rateLimit?.status === "rejected" ? rateLimit.resetsAtMs : undefined]
  return earliest(times.filter((atMs) => atMs !== undefined && atMs > nowMs))
}

/** Whether the agent has finished and its process stays: for `lingerMs` at most, where the daemon limits it. */
export const lingeringOf = (agent: AgentSeen, lingerMs?: number): Lingering | undefined => {
  const { result, tasks } = agent
  if (result === undefined || !hasSucceeded(agent) || !hasLeftWork(agent)) return undefined
  const names = tasks.running.map(({ description, isSubagent }) =>
    description === "" ? (isSubagent ? "a subagent" : "a command in the background") : quoted(description)
  )
  const { wakeUp } = tasks
  const reason = wakeUp === undefined || wakeUp.reason === "" ? "" : ` (${wakeUp.reason})`
  const waits = [...names.slice(0, 3), ...(wakeUp === undefined ? [] : [`its wake-up${reason}`])]
  return {
    text: `has finished, and waits for ${listed(waits)}`,
    sinceMs: result.atMs,
    untilMs: earliest([wakeUp?.atMs, lingerMs === undefined ? undefined : result.atMs + lingerMs])
  }
}

/** The same call with the same result, the same answer, refused requests: more is no progress. */
const mostSameCalls = 10
const mostSameAnswers = 5
const mostBadRequests = 3

/** Why the agent seems to make no progress, in words that continue `The agent `. */
export const noProgressOf = ({ work }: AgentSeen): string | undefined => {
  if (work.badRequests >= mostBadRequests) {
    return `had ${work.badRequests} requests in a row refused by the API with status 400`
  }
  const same = work.sameCalls.find(({ times }) => times >= mostSameCalls)
  if (same !== undefined) {
    const input = same.input === "" ? "" : ` ${quoted(same.input)}`
    return `has called ${same.name}${input} ${same.times} times with the same result`
  }
  const { lastAnswer, sameAnswer } = work
  return lastAnswer !== undefined && sameAnswer !== undefined && sameAnswer.times >= mostSameAnswers
    ? `has given the same answer ${sameAnswer.times} times: ${quoted(lastAnswer.text)}`
    : undefined
}

/** `another 2 h 03 min`, for a time ahead. */
export const forAnother = (untilMs: number | undefined, nowMs: number): string =>
  untilMs === undefined || untilMs <= nowMs ? "" : `, for another ${humanDuration(untilMs - nowMs)}`
