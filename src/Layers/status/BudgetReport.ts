import * as Effect from "effect/Effect"
import { type BudgetData, budgetData } from "../../Domain/session/BudgetData.ts"
import { today } from "../machine/TimeZone.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** What the agents of all projects have used. */
export const budgetReport: Effect.Effect<BudgetData, never, Supervisor> = Effect.gen(function* () {
  const snapshots = yield* (yield* Supervisor).snapshots
  return budgetData(
    snapshots.map(({ plan: { agent, project }, state: { work } }) => ({ name: project, plan: agent, work })),
    yield* today
  )
})
