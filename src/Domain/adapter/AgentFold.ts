import type { Reading } from "../agent/AgentAnswer.ts"
import type { AgentCost } from "../agent/AgentCost.ts"
import { type AgentLine, blocksOf, numberAt, objectAt, shortened, textAt } from "../agent/AgentLine.ts"
import type { AgentSeen } from "../agent/AgentSeen.ts"
import { withAgentLine } from "../agent/AgentStream.ts"
import { type AgentTokens, amountSum, usageAt } from "../agent/AgentUsage.ts"
import type { AgentAdapter } from "./AgentAdapter.ts"

/** Whether a line is a part of an answer. An error in place of one is none. */
const isAnswer = ({ object, type }: AgentLine): boolean =>
  type === "assistant" && object["is_api_error_message"] !== true

/** Gives a part of an answer the id that all its parts share. */
const named = (line: AgentLine, id: string): AgentLine => ({
  ...line,
  object: { ...line.object, message: { ...objectAt(line.object, "message"), id } }
})

const isPart = ({ object }: AgentLine): boolean => object["delta"] === true

/** A part may end between two words. */
const partText = (said: string, part: string): string =>
  `${shortened(said + part)}${/\s$/.test(part) ? " " : ""}`

/** The text of a further part joins the answer that is shown; whether the whole is the same as before is unknown. */
const joined = (seen: AgentSeen, part: string, { atMs, mask }: Reading): AgentSeen | undefined => {
  const { lastAnswer } = seen.work
  if (lastAnswer === undefined || lastAnswer.message !== seen.openAnswer) return undefined
  const text = partText(lastAnswer.text, mask(part))
  return { ...seen, work: { ...seen.work, lastAnswer: { ...lastAnswer, text, atMs }, sameAnswer: undefined } }
}

const withTextPart = (seen: AgentSeen, line: AgentLine, reading: Reading): AgentSeen => {
  const [block = {}] = blocksOf(line)
  const part = textAt(block, "text") ?? ""
  const after = joined(seen, part, reading)
  if (after !== undefined) return after
  const { work, ...others } = withAgentLine(seen, line, reading.atMs, reading.mask)
  const { lastAnswer } = work
  return lastAnswer === undefined
    ? { ...others, work }
    : { ...others, work: { ...work, lastAnswer: { ...lastAnswer, text: partText("", reading.mask(part)) } } }
}

/** An agent that names no answers begins a new one when all its tools have returned. */
const withPart = (seen: AgentSeen, line: AgentLine, reading: Reading): AgentSeen => {
  if (objectAt(line.object, "message")["id"] !== undefined)
    return withAgentLine(seen, line, reading.atMs, reading.mask)
  const openAnswer = seen.openAnswer ?? `answer ${seen.turns + 1}`
  const part = named(line, openAnswer)
  const after = isPart(line)
    ? withTextPart(seen, part, reading)
    : withAgentLine(seen, part, reading.atMs, reading.mask)
  return { ...after, openAnswer }
}

/** Adds the turns, which only the reader counts, and the last answer, which is the result of a success. */
const completed = ({ resultTurns = 0, turns, work }: AgentSeen, line: AgentLine): AgentLine => ({
  ...line,
  object: {
    num_turns: Math.max(0, turns - resultTurns),
    ...(work.lastAnswer === undefined ? {} : { result: work.lastAnswer.text }),
    ...line.object
  }
})

const withoutOpen = (seen: AgentSeen): AgentSeen =>
  seen.openAnswer === undefined || seen.tools.length > 0 ? seen : { ...seen, openAnswer: undefined }

/** Adds the tokens and US dollars of an answer, where the agent tells both as it goes. */
const withUsage = (cost: AgentCost, tokens: AgentTokens, usd: number): AgentCost => ({
  ...cost,
  settled: amountSum(cost.settled, { usd: Math.max(0, usd), tokens }),
  isSettledExactly: cost.isSettledExactly !== false,
  open: []
})

/** Adds a line in the common form. */
const withCommonLine = (seen: AgentSeen, line: AgentLine, reading: Reading): AgentSeen => {
  if (isAnswer(line)) return withPart(seen, line, reading)
  switch (line.type) {
    case "usage":
      return { ...seen, cost: withUsage(seen.cost, usageAt(line.object), numberAt(line.object, "usd") ?? 0) }
    case "result":
      return withoutOpen(withAgentLine(seen, completed(seen, line), reading.atMs, reading.mask))
    case "user":
      return withoutOpen(withAgentLine(seen, line, reading.atMs, reading.mask))
    default:
      return withAgentLine(seen, line, reading.atMs, reading.mask)
  }
}

/** Longer lines are searched instead of parsed, which costs a tenth. */
const maxParsedLength = 64 * 1024

/** Reads the lines that an adapter brings into the common form. */
export const foldOf =
  (linesOf: NonNullable<AgentAdapter["linesOf"]>): AgentAdapter["next"] =>
  (seen, text, atMs, mask) => {
    try {
      return (linesOf(text, maxParsedLength) ?? []).reduce<AgentSeen>(
        (state, line) => withCommonLine(state, line, { atMs, mask }),
        seen
      )
    } catch {
      // A line may be nested deeper than the stack of this program, and a worker may print any line.
      return seen
    }
  }
