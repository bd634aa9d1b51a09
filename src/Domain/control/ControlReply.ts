import * as Either from "effect/Either"
import { eventIn } from "../history/RecordLine.ts"
import { fitted, jsonIn, misfit, textReader } from "../Shape.ts"
import { jsonText, printable } from "../text/Printable.ts"
import { isTable, valueAt } from "../toml/RawSettings.ts"
import type { ControlQuestion, ControlRequest, ReplyTo } from "./ControlProtocol.ts"
import { replyShapes } from "./ReplyShapes.ts"
import type { SubscriptionLine } from "./Subscription.ts"

/**
 * Encodes a request without a newline. The original daemon reads once, at most 4,096 bytes; every request that it knows
 * is far shorter.
 */
export const encodeRequest = (request: ControlRequest): string => JSON.stringify(request)

/** Characters of an answer that an error quotes. */
const excerptLength = 120

/** What is wrong with an answer, and where. */
const problemAt = (answer: unknown, place: ReadonlyArray<string>): string => {
  const value = isTable(answer) ? valueAt(answer, place) : answer
  const problem = value === undefined ? "is missing" : `is not as expected: ${jsonText(value)}`
  return printable(place.length === 0 ? `it ${problem}` : `"${place.join(".")}": ${problem}`, excerptLength)
}

let made: ReturnType<typeof replyShapes> | undefined

/** Decodes the answer to a request of one type. The Left is one printable line: what is wrong with it. */
export const decodeReply = <T extends ControlQuestion["type"]>(
  type: T,
  text: string
): Either.Either<ReplyTo<T>, string> => {
  const { of, shapes } = (made ??= replyShapes())
  const answer = jsonIn(text)
  if (answer === misfit) return Either.left(`it is no JSON: ${printable(text, excerptLength)}`)
  const place: Array<string> = []
  const reply = fitted(shapes[of[type] ?? -1] ?? "any", answer, place)
  // The shape is that of the answer.
  return reply === misfit ? Either.left(problemAt(answer, place)) : Either.right(reply as ReplyTo<T>)
}

const lineIn = textReader<SubscriptionLine>(() => replyShapes().line)

/** Reads a line to a subscriber. Undefined for one that this version does not know. */
export const subscriptionLineIn = (text: string): SubscriptionLine | undefined => {
  const line = lineIn(text)
  if (line?.type !== "event") return line
  const event = eventIn(line.event)
  return event && { ...line, event }
}
