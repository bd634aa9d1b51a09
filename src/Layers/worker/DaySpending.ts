import type { ProjectName } from "../../Domain/Project.ts"
import { spentOn, type WorkRecord } from "../../Domain/session/WorkRecord.ts"

/** What all projects of the daemon spend on a day. */
export interface DaySpending {
  readonly note: (project: ProjectName, work: WorkRecord) => void
  /** The spending of the other projects on a day (`2026-11-29`), in US dollars. */
  readonly others: (project: ProjectName, date: string) => number
}

export const make = (): DaySpending => {
  const works = new Map<ProjectName, WorkRecord>()
  return {
    note: (project, work) => void works.set(project, work),
    others: (project, date) =>
      [...works].reduce((sum, [name, work]) => (name === project ? sum : sum + spentOn(work, date)), 0)
  }
}
