import * as Schema from "effect/Schema"
import { type JsonObject, numberAt, textAt } from "./AgentLine.ts"
import {
  AgentAmount,
  AgentTokens,
  amountBeyond,
  amountSum,
  type ModelUsage,
  modelAt,
  modelUsageAt,
  noAmount,
  noTokens,
  tokenSum,
  unitsOf,
  usageAt
} from "./AgentUsage.ts"

/** What one model costs, learned from the results of the agent. */
export const AgentRate = Schema.Struct({
  model: Schema.String,
  /** US dollars for the price of one input token. */
  usdPerUnit: Schema.Number,
  outputPerAnswer: Schema.Number
})
export type AgentRate = typeof AgentRate.Type

/** The total that the last result of a session has told. */
const Ledger = Schema.Struct({
  session: Schema.String,
  total: AgentAmount,
  /** The number of the result, from 0 in each process; absent in 2.1.197. */
  index: Schema.optional(Schema.Number)
})
type Ledger = typeof Ledger.Type

/** Answers that no result has told the cost of yet. */
export const OpenAnswers = Schema.Struct({
  model: Schema.String,
  answers: Schema.Number,
  tokens: AgentTokens
})
export type OpenAnswers = typeof OpenAnswers.Type

/** The cost of a run, folded from its results and answers. */
export const AgentCost = Schema.Struct({
  settled: AgentAmount,
  /** Some result was seen, and every one told a cost of this process alone. */
  isSettledExactly: Schema.optional(Schema.Boolean),
  /** A result told no cost at all, as those of an agent that knows no prices. */
  hasNoPrice: Schema.optional(Schema.Boolean),
  ledgers: Schema.Array(Ledger),
  open: Schema.Array(OpenAnswers),
  rates: Schema.Array(AgentRate),
  /** The ids of the last answers and results. */
  counted: Schema.Array(Schema.String)
})
export type AgentCost = typeof AgentCost.Type

export const noCost: AgentCost = { settled: noAmount, ledgers: [], open: [], rates: [], counted: [] }

const maxLedgers = 8
const maxModels = 8
const maxCounted = 128
const maxIdLength = 200

const amountOf = (usages: ReadonlyArray<AgentAmount>): AgentAmount =>
  usages.reduce<AgentAmount>(amountSum, noAmount)

/** The rates after a result: what the answers before it cost, by model. */
const withRates = (cost: AgentCost, usages: ReadonlyArray<ModelUsage>): ReadonlyArray<AgentRate> => {
  const told = usages.flatMap(({ model, tokens, usd }) => {
    const units = unitsOf(tokens)
    if (units === 0 || usd === 0) return []
    const before = cost.rates.find((rate) => rate.model === model)
    const answers = cost.open.find((open) => open.model === model)?.answers
    const outputPerAnswer = answers === undefined ? before?.outputPerAnswer : tokens.output / answers
    return [{ model, usdPerUnit: usd / units, outputPerAnswer: outputPerAnswer ?? 0 }]
  })
  const others = cost.rates.filter(({ model }) => told.every((rate) => rate.model !== model))
  return [...others, ...told].slice(-maxModels)
}

/** The figures of a `result`; of one that could only be searched, the usage is unknown. */
interface ResultFigures {
  readonly session: string
  readonly id: string | undefined
  readonly totalUsd: number | undefined
  readonly index: number | undefined
  readonly usages: ReadonlyArray<ModelUsage> | undefined
  readonly since: ReadonlyArray<ModelUsage> | undefined
  /** The usage of the last turn of the loop. */
  readonly turn: AgentTokens
}

/** A part of the cost that a result tells, and whether it is of this process alone. */
interface Told {
  readonly amount: AgentAmount
  readonly isExact: boolean
}

/**
 * The total of a first result is of the process until 2.1.197. In later versions it is of the session, in which earlier
 * processes spent as well, and the cost since the result before is told beside it; `--output-format json` leaves it out.
 */
const firstTold = (figures: ResultFigures, total: AgentAmount): Told => {
  const { index, since, turn, usages = [] } = figures
  if (since !== undefined) return { amount: amountOf(since), isExact: (index ?? 0) === 0 }
  if (index === undefined) return { amount: total, isExact: figures.usages !== undefined }
  const ofTurn = unitsOf(turn)
  const ofTotal = unitsOf(amountOf(usages).tokens)
  if (ofTurn >= ofTotal) return { amount: total, isExact: index === 0 }
  return { amount: { usd: (total.usd * ofTurn) / ofTotal, tokens: turn }, isExact: false }
}

const toldBy = (ledger: Ledger | undefined, figures: ResultFigures, total: AgentAmount): Told => {
  if (ledger === undefined) return firstTold(figures, total)
  // A result that was lost is in the next total of the same process.
  const isSameProcess =
    total.usd >= ledger.total.usd &&
    (figures.index === undefined || ledger.index === undefined || figures.index > ledger.index)
  return isSameProcess
    ? { amount: amountBeyond(total, ledger.total), isExact: figures.usages !== undefined }
    : firstTold(figures, total)
}

/** A total that was told before the session had a name is that of the session. */
const ledgerOf = ({ ledgers }: AgentCost, session: string): Ledger | undefined =>
  ledgers.find((known) => known.session === session || known.session === "")

const isRepeated = (cost: AgentCost, { id, index, session, totalUsd }: ResultFigures): boolean =>
  id === undefined
    ? cost.ledgers.some(
        (ledger) => ledger.session === session && ledger.index === index && ledger.total.usd === totalUsd
      )
    : cost.counted.includes(id)

const withId = ({ counted }: AgentCost, id: string | undefined): ReadonlyArray<string> =>
  id === undefined ? counted : [...counted, id].slice(-maxCounted)

const settled = (cost: AgentCost, figures: ResultFigures): AgentCost => {
  if (isRepeated(cost, figures)) return cost
  const { id, index, session, totalUsd, usages } = figures
  const ledger = ledgerOf(cost, session)
  if (totalUsd === undefined) {
    const priceless = { usd: 0, tokens: figures.turn }
    return {
      ...cost,
      hasNoPrice: true,
      settled: amountSum(cost.settled, priceless),
      open: [],
      counted: withId(cost, id)
    }
  }
  // Without the usage of each model a first total may be of any process.
  if (usages === undefined && ledger === undefined) return { ...cost, isSettledExactly: false }
  const tokens = usages === undefined ? (ledger?.total.tokens ?? noTokens) : amountOf(usages).tokens
  const total: AgentAmount = { usd: Math.max(0, totalUsd), tokens }
  const told = toldBy(ledger, figures, total)
  const others = cost.ledgers.filter((known) => known !== ledger)
  return {
    ...cost,
    settled: amountSum(cost.settled, told.amount),
    isSettledExactly: told.isExact && cost.isSettledExactly !== false,
    ledgers: [...others, { session, total, index }].slice(-maxLedgers),
    open: [],
    rates: withRates(cost, figures.since ?? usages ?? []),
    counted: withId(cost, id)
  }
}

/** Adds the cost that a parsed `result` tells. */
export const withResultCost = (cost: AgentCost, object: JsonObject, session: string): AgentCost =>
  settled(cost, {
    session,
    id: textAt(object, "uuid")?.slice(0, maxIdLength),
    totalUsd: numberAt(object, "total_cost_usd"),
    index: numberAt(object, "result_index"),
    usages: modelUsageAt(object, "modelUsage") ?? [],
    since: modelUsageAt(object, "model_usage_since_last_result"),
    turn: usageAt(object)
  })

/**
 * Adds the cost that the agent tells on request (`get_usage`): the part beyond the last total. Before any answer the total
 * is that of earlier processes. Between both nothing tells the two apart, and only the prices are learned.
 */
export const withToldCost = (cost: AgentCost, object: JsonObject, session: string): AgentCost => {
  const usages = modelUsageAt(object, "model_usage") ?? []
  const total = { usd: numberAt(object, "total_cost_usd") ?? 0, tokens: amountOf(usages).tokens }
  const ledger = ledgerOf(cost, session)
  const rates = withRates({ ...cost, open: [] }, usages)
  const others = cost.ledgers.filter((known) => known !== ledger)
  if (ledger === undefined) {
    return cost.counted.length > 0
      ? { ...cost, rates }
      : { ...cost, rates, ledgers: [...others, { session, total }] }
  }
  if (total.usd < ledger.total.usd) return cost
  return {
    ...cost,
    rates,
    settled: amountSum(cost.settled, amountBeyond(total, ledger.total)),
    isSettledExactly: cost.isSettledExactly !== false,
    ledgers: [...others, { ...ledger, session, total }],
    open: []
  }
}

/** Adds the cost that a searched `result` tells: the part beyond the last total, if one is known. */
export const withCutResultCost = (
  cost: AgentCost,
  figures: Pick<ResultFigures, "session" | "id" | "totalUsd" | "index">
): AgentCost => settled(cost, { ...figures, usages: undefined, since: undefined, turn: noTokens })

/** Adds an answer, whose cost the next result tells. An answer of several blocks comes as several lines. */
export const withAnswerCost = (cost: AgentCost, message: JsonObject): AgentCost => {
  const id = textAt(message, "id")?.slice(0, maxIdLength)
  if (id === undefined || cost.counted.includes(id)) return cost
  const model = modelAt(message) ?? ""
  const isFull = cost.open.length === maxModels && cost.open.every((open) => open.model !== model)
  const at = isFull ? cost.open[maxModels - 1]?.model : model
  const before = cost.open.find((open) => open.model === at) ?? { model, answers: 0, tokens: noTokens }
  const answer: OpenAnswers = {
    ...before,
    answers: before.answers + 1,
    tokens: tokenSum(before.tokens, usageAt(message))
  }
  return {
    ...cost,
    open: [...cost.open.filter((open) => open !== before), answer],
    counted: withId(cost, id)
  }
}
