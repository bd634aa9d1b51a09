import * as os from "node:os"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The boot time of the machine in milliseconds since 1970, by the current wall clock. */
export class MachineBoot extends Context.Tag("MachineBoot")<
  MachineBoot,
  { readonly bootedMs: Effect.Effect<number> }
>() {}

export const layer: Layer.Layer<MachineBoot> = Layer.succeed(MachineBoot, {
  bootedMs: Effect.map(Clock.currentTimeMillis, (nowMs) => Math.round(nowMs - os.uptime() * 1000))
})
