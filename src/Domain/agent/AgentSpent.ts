import type { AgentCost, AgentRate, OpenAnswers } from "./AgentCost.ts"
import { type AgentTokens, tokenSum, unitsOf } from "./AgentUsage.ts"

/** What this process has spent. */
export interface AgentSpent {
  /** US dollars; undefined while answers came whose price is unknown, and no result. */
  readonly costUsd: number | undefined
  /** False when a part is estimated, missing, or may be of an earlier process. */
  readonly isExact: boolean
  readonly tokens: AgentTokens
  /** The answers since the last result: their cost is an estimate. */
  readonly answersSince: number
}

/** The tokens of answers without a result. Their line is printed before the final usage, so its output is too low. */
const openTokens = ({ answers, tokens }: OpenAnswers, rate: AgentRate | undefined): AgentTokens => ({
  ...tokens,
  output: Math.max(tokens.output, Math.round(answers * (rate?.outputPerAnswer ?? 0)))
})

/** A model without a known price counts as the dearest known one. */
const rateOf = (rates: ReadonlyArray<AgentRate>, model: string): AgentRate | undefined =>
  rates.find((rate) => rate.model === model) ??
  rates.reduce<AgentRate | undefined>(
    (dearest, rate) => (dearest !== undefined && dearest.usdPerUnit >= rate.usdPerUnit ? dearest : rate),
    undefined
  )

/** Sums of dollars have errors in the last digits. */
const rounded = (usd: number): number => Math.round(usd * 1e9) / 1e9

/** What the run has spent so far. */
export const spentOf = ({
  hasNoPrice,
  isSettledExactly,
  open,
  rates,
  settled: { tokens, usd }
}: AgentCost): AgentSpent => {
  const estimated = open.map((answers) => {
    const rate = rateOf(rates, answers.model)
    const ofAnswers = openTokens(answers, rate)
    return { usd: rate === undefined ? undefined : unitsOf(ofAnswers) * rate.usdPerUnit, tokens: ofAnswers }
  })
  const isPriced = hasNoPrice !== true && estimated.every((part) => part.usd !== undefined)
  return {
    costUsd:
      isPriced || isSettledExactly !== undefined
        ? rounded(estimated.reduce((total, part) => total + (part.usd ?? 0), usd))
        : undefined,
    isExact: open.length === 0 && isSettledExactly === true,
    tokens: estimated.reduce((total, part) => tokenSum(total, part.tokens), tokens),
    answersSince: open.reduce((total, { answers }) => total + answers, 0)
  }
}
