import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import { counted, dollars } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import type { Message } from "../text/Style.ts"
import { describeUsed, UsedLimit } from "../verdict/UsedLimit.ts"

const ofProject = { project: ProjectName }

/** Events about the session of an agent across its runs, and about its spending. */
export const SessionEvent = Schema.Union(
  /** A run continues the session. `inARow` counts such runs without a finished answer, this one included. */
  Schema.TaggedStruct("SessionContinued", {
    ...ofProject,
    sessionId: Schema.String,
    inARow: Schema.Int
  }),
  /** The next run begins another session. */
  Schema.TaggedStruct("SessionDropped", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("BudgetNearlySpent", { ...ofProject, usage: UsedLimit, isExact: Schema.Boolean }),
  /** The daemon stops an agent that has used up a limit, or has finished and lingers. */
  Schema.TaggedStruct("AgentStopped", { ...ofProject, reason: Schema.String }),
  /** A user began another work. */
  Schema.TaggedStruct("BudgetReset", { ...ofProject, usd: Schema.Number, turns: Schema.Int })
)
export type SessionEvent = typeof SessionEvent.Type

/** The event as the log shows it. */
export const describeSession = (event: SessionEvent): Message => {
  switch (event._tag) {
    case "SessionContinued": {
      const attempt = event.inARow === 1 ? "" : `, attempt ${event.inARow} in a row without a finished answer`
      return { level: "info", text: `Continuing session ${printable(event.sessionId, 100)}${attempt}` }
    }
    case "SessionDropped":
      return { level: "warning", text: `The next run begins a new session: ${event.reason}` }
    case "BudgetNearlySpent":
      return {
        level: "warning",
        text: `80 % of a budget is spent: ${describeUsed(event.usage)}${event.isExact ? "" : ", by an estimate"}`
      }
    case "AgentStopped":
      return { level: "info", text: `Stopping the agent: ${event.reason}` }
    case "BudgetReset":
      return {
        level: "info",
        text: `Another work begins: the last one had used ${counted(event.turns, "turn")} and ${dollars(event.usd)}`
      }
  }
}
