import * as Schema from "effect/Schema"
import { dollars } from "../text/Amounts.ts"
import { type Places, placeOfLimit } from "./Places.ts"

/** A limit of the settings for what agents spend: of a work, of a project's day, of the day of all projects. */
export const UsedLimit = Schema.Struct({
  setting: Schema.Literal("max_budget", "max_budget_per_day", "budget.per_day"),
  usedUsd: Schema.Number,
  limitUsd: Schema.Number
})
export type UsedLimit = typeof UsedLimit.Type

const owner: Readonly<Record<UsedLimit["setting"], string>> = {
  max_budget: "the work has spent",
  max_budget_per_day: "the project has spent today",
  "budget.per_day": "all projects together have spent today"
}

/** `the work has spent $4.10 of max_budget ($5.00)`, without a full stop. */
export const describeUsed = ({ limitUsd, setting, usedUsd }: UsedLimit): string =>
  `${owner[setting]} ${dollars(usedUsd)} of ${setting} (${dollars(limitUsd)})`

/** The two ways on behind a limit, one sentence without a full stop. */
export const waysOn = (setting: UsedLimit["setting"] | "max_turns", places?: Places): string => {
  const isOfWork = setting === "max_budget" || setting === "max_turns"
  const other = isOfWork ? "begin another work with `autopilotd budget reset`" : "wait until tomorrow"
  return `Raise ${placeOfLimit(setting, places)}, or ${other}; then run: autopilotd start-worker`
}
