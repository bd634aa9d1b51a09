import { hostname } from "node:os"
import * as Effect from "effect/Effect"

/** The name of this machine, by which a receiver tells it from others. */
export const hostName: Effect.Effect<string> = Effect.sync(hostname)
