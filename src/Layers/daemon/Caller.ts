import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type CallerFacts, callerFacts } from "./CallerFacts.ts"
import { NoUserHome } from "./UserHome.ts"

/** What a command knows of the process that it is. */
export class Caller extends Context.Tag("Caller")<Caller, CallerFacts>() {}

/** The user's home, for code that needs one. */
export const homeOfCaller: Effect.Effect<string, NoUserHome, Caller> = Effect.flatMap(
  Caller,
  ({ environment, userHome }) =>
    userHome === undefined ? new NoUserHome({ configured: environment["HOME"] }) : Effect.succeed(userHome)
)

export const layer: Layer.Layer<Caller> = Layer.sync(Caller, callerFacts)
