import * as Effect from "effect/Effect"
import { troubleAdvice, troubleText } from "../Domain/systemd/UnitTrouble.ts"
import { nothingAlive, unservedHomeText } from "../Domain/tree/UnservedHome.ts"
import { NotRunning } from "../Layers/control/ControlClient.ts"
import { HomeSurvivors } from "../Layers/tree/HomeSurvivors.ts"
import { serviceTrouble } from "./service/ServiceTrouble.ts"

/** The processes of the home that live while no daemon answers. An unreadable /proc shows nothing; `stop` does not rely on that. */
export const survivors = Effect.flatMap(HomeSurvivors, ({ find }) =>
  Effect.orElseSucceed(find, () => nothingAlive)
)

/** Fails as before, with what lives all the same, and with what keeps the service from running. */
export const notAlone = Effect.fnUntraced(function* ({ path }: NotRunning) {
  const alive = unservedHomeText(yield* survivors)
  const service = yield* serviceTrouble
  const told = [
    ...(service === undefined ? [] : troubleText(service)),
    ...(alive === undefined ? [] : [alive]),
    ...(service === undefined ? [] : troubleAdvice(service).map((step) => `${step}.`))
  ]
  return yield* new NotRunning({ path, ...(told.length > 0 && { but: told.join("\n") }) })
})
