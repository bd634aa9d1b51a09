import * as Effect from "effect/Effect"
import { nothingAlive, unservedHomeText } from "../Domain/tree/UnservedHome.ts"
import { NotRunning } from "../Layers/control/ControlClient.ts"
import { HomeSurvivors } from "../Layers/tree/HomeSurvivors.ts"

/** The processes of the home that live while no daemon answers. An unreadable /proc shows nothing; `stop` does not rely on that. */
export const survivors = Effect.flatMap(HomeSurvivors, ({ find }) =>
  Effect.orElseSucceed(find, () => nothingAlive)
)

/** Fails as before, with what lives all the same. */
export const notAlone = Effect.fnUntraced(function* ({ path }: NotRunning) {
  const but = unservedHomeText(yield* survivors)
  return yield* new NotRunning({ path, ...(but !== undefined && { but }) })
})
