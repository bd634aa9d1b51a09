import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import { printable } from "../text/Printable.ts"
import type { Message } from "../text/Style.ts"

const ofProject = { project: ProjectName }

/** Events of a login that several projects share. */
export const LoginEvent = Schema.Union(
  /** The time of a usage limit is over. This project tries it first; the others wait for its answer. */
  Schema.TaggedStruct("LimitTried", ofProject),
  /** The project has an answer: those that waited for the limit start. */
  Schema.TaggedStruct("LimitOver", ofProject),
  Schema.TaggedStruct("LimitsNotSaved", { reason: Schema.String }),
  /** A file of the login of a stopped worker has changed: the daemon starts it. */
  Schema.TaggedStruct("LoginChanged", { ...ofProject, path: Schema.String })
)
export type LoginEvent = typeof LoginEvent.Type

/** The event as the log shows it. */
export const describeLogin = (event: LoginEvent): Message => {
  switch (event._tag) {
    case "LimitTried":
      return {
        level: "info",
        text: "Trying first whether the usage limit is over; the other projects of the login wait for its answer"
      }
    case "LimitOver":
      return {
        level: "info",
        text: "The usage limit is over: the other projects of the login start"
      }
    case "LimitsNotSaved":
      return {
        level: "warning",
        text: `The usage limits of logins are not saved, and another daemon would meet them again: ${event.reason}`
      }
    case "LoginChanged":
      return {
        level: "info",
        text: `Starting the worker once: its login has changed (${printable(event.path, 400)})`
      }
  }
}
