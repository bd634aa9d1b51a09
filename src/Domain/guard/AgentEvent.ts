import * as Schema from "effect/Schema"
import { forAnother } from "../agent/AgentSituation.ts"
import { ProjectName } from "../Project.ts"
import { humanDuration } from "../text/Amounts.ts"
import type { Message } from "../text/Style.ts"
import { moment } from "../Wire.ts"

const ofProject = { project: ProjectName }

/** `text` continues `The agent `; `untilMs` is milliseconds since 1970, null when it is not known. */
const words = { ...ofProject, text: Schema.String }
const until = { atMs: moment(Schema.Number), untilMs: Schema.NullOr(moment(Schema.Number)) }

/** What a running agent meets, each told once. */
export const AgentEvent = Schema.Union(
  /** Only a person can help it on. */
  Schema.TaggedStruct("AgentBlocked", { ...words, why: Schema.Literal("permission", "login", "question") }),
  /** The agent seems to repeat the same work. */
  Schema.TaggedStruct("AgentNoProgress", words),
  /** The agent waits inside its process, for its usage limit or for the API. */
  Schema.TaggedStruct("AgentWaits", { ...words, ...until, on: Schema.Literal("limit", "api") }),
  /** The wait is over. */
  Schema.TaggedStruct("AgentGoesOn", { ...ofProject, waitedMs: Schema.Number }),
  /** The agent has finished, and its process stays for background work. */
  Schema.TaggedStruct("AgentFinished", { ...words, ...until })
)
export type AgentEvent = typeof AgentEvent.Type

/** The event as the log shows it. */
export const describeAgent = (event: AgentEvent): Message => {
  switch (event._tag) {
    case "AgentBlocked":
      return { level: "warning", text: `The agent is blocked on a person: it ${event.text}` }
    case "AgentNoProgress":
      return { level: "warning", text: `The agent seems to make no progress: it ${event.text}` }
    case "AgentWaits":
      return {
        level: "warning",
        text: `The agent ${event.text}${forAnother(event.untilMs ?? undefined, event.atMs)}`
      }
    case "AgentGoesOn":
      return { level: "info", text: `The agent goes on after a wait of ${humanDuration(event.waitedMs)}` }
    case "AgentFinished":
      return {
        level: "info",
        text: `The agent ${event.text}${forAnother(event.untilMs ?? undefined, event.atMs)}`
      }
  }
}
