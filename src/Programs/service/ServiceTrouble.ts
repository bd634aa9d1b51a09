import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { daemonUnit } from "../../Domain/service/ServiceUnit.ts"
import type { ServiceTrouble } from "../../Domain/systemd/UnitTrouble.ts"
import { errorIn } from "../../Layers/daemon/BackgroundStart.ts"
import { ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { UserManager } from "../../Layers/service/UserManager.ts"
import { servesThisHome } from "./ServicePlan.ts"

/** systemd gives up within minutes, and a user who looks in the morning wants the reason. */
const lookBackMs = 24 * 3_600_000

const shownLines = 6

/**
 * Why the service of this home does not stay up; undefined where it does, or is not installed. Runs systemctl only where
 * there is a unit.
 */
export const serviceTrouble = Effect.gen(function* () {
  const { installed } = yield* ServiceFiles
  const [found] = yield* installed(daemonUnit)
  if (found === undefined || !(yield* servesThisHome(found.text))) return undefined
  const { journal, unit } = yield* UserManager
  const { trouble } = yield* unit(daemonUnit.name)
  if (trouble === undefined) return undefined
  const lines = yield* journal(daemonUnit.name, (yield* Clock.currentTimeMillis) - lookBackMs)
  const told = errorIn(lines.join("\n")).split("\n")
  return {
    trouble,
    lastLines: told.filter((line) => line !== "").slice(-shownLines)
  } satisfies ServiceTrouble
}).pipe(Effect.orElseSucceed((): ServiceTrouble | undefined => undefined))
