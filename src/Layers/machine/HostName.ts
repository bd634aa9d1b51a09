import { hostname } from "node:os"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** The machine of the daemon, as the user names it, where it is not this one. */
export class OtherMachine extends Context.Reference<OtherMachine>()("OtherMachine", {
  defaultValue: (): string | undefined => undefined
}) {}

/** The name of the daemon's machine, by which a receiver tells it from others. */
export const hostName: Effect.Effect<string> = Effect.map(OtherMachine, (other) => other ?? hostname())
