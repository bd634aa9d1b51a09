import * as Effect from "effect/Effect"
import type { ProjectName } from "../../Domain/Project.ts"
import type { Today } from "../../Domain/session/Budget.ts"
import { type RunStart, startOf } from "../../Domain/session/RunStart.ts"
import type { WorkRecord } from "../../Domain/session/WorkRecord.ts"
import { runOf } from "../../Domain/WorkerId.ts"
import type { ProjectPlan } from "../../Domain/worker/ProjectPlan.ts"
import * as TimeZone from "../machine/TimeZone.ts"
import type { DaySpending } from "./DaySpending.ts"
import { WorkerRun } from "./WorkerRun.ts"

/** A run that is to start. */
export interface NextRun {
  readonly id: string
  readonly start: RunStart
}

interface RunStarts {
  readonly today: Effect.Effect<Today>
  /** The next run of a work. Save its session and its budget before it starts. */
  readonly next: (work: WorkRecord) => Effect.Effect<NextRun>
}

/** The beginnings of one project's runs. A new session gets the uuid of its first run as its id. */
export const make = Effect.fnUntraced(function* (
  project: ProjectName,
  planNow: () => ProjectPlan,
  spending: DaySpending
) {
  const { newId } = yield* WorkerRun
  const today = Effect.map(
    TimeZone.today,
    (date): Today => ({ date, othersUsd: spending.others(project, date) })
  )
  return {
    today,
    next: Effect.fnUntraced(function* (work) {
      const { agent, argv } = planNow()
      const id = yield* newId(project)
      const known = agent === undefined ? undefined : { plan: agent, today: yield* today }
      return { id, start: startOf(argv, known, work, runOf(id)) }
    })
  } satisfies RunStarts
})
