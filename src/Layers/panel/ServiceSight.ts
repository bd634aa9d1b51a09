import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ServiceTrouble } from "../../Domain/systemd/UnitTrouble.ts"

/** What keeps the service of this home from staying up, as the panel knows it. */
export class ServiceSight extends Context.Tag("ServiceSight")<
  ServiceSight,
  {
    /** Undefined while it stays up, or is not installed. */
    readonly trouble: Effect.Effect<ServiceTrouble | undefined>
  }
>() {}

/** Every page asks at each change, and systemctl and journalctl take a tenth of a second of a core. */
const keptFor = "10 seconds"

/** Asks by `ask`, and keeps its answer for a while. */
export const layerOf = <R>(
  ask: Effect.Effect<ServiceTrouble | undefined, never, R>
): Layer.Layer<ServiceSight, never, R> =>
  Layer.effect(
    ServiceSight,
    Effect.map(Effect.cachedWithTTL(ask, keptFor), (trouble) => ({ trouble }))
  )
