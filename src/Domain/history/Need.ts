import type { ProjectRow } from "../status/ProjectsData.ts"

const byState: Readonly<Record<ProjectRow["worker_status"], number>> = {
  failed: 0,
  waiting: 2,
  restarting: 3,
  stopping: 4,
  starting: 5,
  running: 6,
  stopped: 7
}

/** How soon a project needs a user; 0 is the first. An agent that is blocked on a person does nothing more by itself. */
const needOf = ({ agent, last_agent: last, worker_status: state }: ProjectRow): number =>
  state !== "failed" && (agent ?? last)?.blocked !== undefined ? 1 : byState[state]

/** The projects, those that need a user first, and else in the order of the settings. */
export const byNeed = (rows: ReadonlyArray<ProjectRow>): ReadonlyArray<ProjectRow> =>
  rows.toSorted((one, other) => needOf(one) - needOf(other))
