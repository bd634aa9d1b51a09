import * as Schema from "effect/Schema"
import {
  aboutDaemon,
  Milliseconds,
  millisecondsExpected,
  optionalSetting,
  orOff,
  setting,
  Text
} from "./Setting.ts"

/** An amount in US dollars. */
const Dollars = Schema.Finite.pipe(Schema.positive())
const dollarsExpected = "a number of US dollars above 0"

/** The `[agent]` table: the session of an agent across its runs. Other workers ignore it. */
export const AgentSettings = Schema.Struct({
  resume: setting("resume", Schema.Boolean, true, {
    description:
      "Continue the session of an agent after a crash, a limit, a restart or a stop, instead of beginning anew.",
    expects: "true or false"
  }),
  resumeAttempts: setting("resume_attempts", Schema.Int.pipe(Schema.between(1, 1000)), 3, {
    description:
      "Number of starts in a row that continue a session without a finished answer. The next one begins anew.",
    expects: "a whole number from 1 to 1000"
  }),
  resumePrompt: setting(
    "resume_prompt",
    Text,
    "Your process was interrupted and has been started again. Look at what is done, and continue the work to its end.",
    { description: "Prompt that continues a session.", expects: "a text that is not empty" }
  ),
  lingerMs: setting("linger_ms", Milliseconds, 600_000, {
    description: "Longest time that an agent may wait for its background tasks after it has finished.",
    expects: millisecondsExpected
  }),
  holdAt: setting(
    "hold_at",
    orOff(Schema.Finite.pipe(Schema.positive(), Schema.lessThanOrEqualTo(1))),
    false,
    {
      description:
        "Share of the five-hour or weekly window of the plan at which the daemon stops the agent, waits for the window's reset and continues the session, so that you keep the rest: 0.9 is 90 %; false means never.",
      expects: "a number above 0 and up to 1, or false"
    }
  )
})
export type AgentSettings = typeof AgentSettings.Type

/** The `[budget]` table: the spending of all projects together. */
export const BudgetSettings = Schema.Struct({
  perDay: optionalSetting("per_day", Dollars, {
    description: "Spending limit of the agents of all projects together for each day.",
    expects: dollarsExpected,
    unset: "no limit",
    topLevelOnly: aboutDaemon
  })
})
export type BudgetSettings = typeof BudgetSettings.Type

/** The spending limit of one project for each day. */
export const maxBudgetPerDay = optionalSetting("max_budget_per_day", Dollars, {
  description: "Spending limit of the project's agent for each day, in US dollars.",
  expects: dollarsExpected,
  unset: "no limit"
})
