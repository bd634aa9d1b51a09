import type { ProjectName } from "../Project.ts"
import { counted } from "../text/Amounts.ts"
import { isFinished, reason, statusWord, type WorkerState } from "../worker/WorkerState.ts"

interface ProjectStatus {
  readonly project: ProjectName
  readonly state: WorkerState
}

/** As users read it everywhere. */
const word = (state: WorkerState) => (isFinished(state) ? "finished" : statusWord(state))

const because = (state: WorkerState): string => {
  const why = reason(state)
  return why === undefined ? "" : `: ${why}`
}

const restarts = ({ totalRestarts }: WorkerState): string =>
  totalRestarts === 0 ? "" : `, ${counted(totalRestarts, "restart")}`

const ofOne = (state: WorkerState): string => {
  const pid = state.phase._tag === "Running" ? `, pid ${state.phase.pid}` : ""
  return `${word(state)}${pid}${restarts(state)}${because(state)}`
}

/** The order of the counts. */
const order = [
  "running",
  "starting",
  "restarting",
  "waiting",
  "stopping",
  "finished",
  "stopped",
  "failed"
] as const

/** The states that may need the user. */
const isTrouble = (state: WorkerState): boolean => {
  const word = statusWord(state)
  return word === "failed" || word === "waiting" || word === "restarting"
}

/**
 * Describes all projects in one line: `running, pid 123, 2 restarts`; `3 projects: 2 running, 1 failed (shop: exit code
 * 1)`. It has no durations, so that it stays true until the next event.
 */
export const serviceStatus = (projects: ReadonlyArray<ProjectStatus>): string => {
  const [first, ...more] = projects
  if (first === undefined) return "no project"
  if (more.length === 0) return ofOne(first.state)
  const counts = order.flatMap((wanted) => {
    const count = projects.filter(({ state }) => word(state) === wanted).length
    return count === 0 ? [] : [`${count} ${wanted}`]
  })
  const troubled = projects
    .filter(({ state }) => isTrouble(state))
    // Failed projects come first, because the line may be cut.
    .toSorted((a, b) => Number(statusWord(b.state) === "failed") - Number(statusWord(a.state) === "failed"))
    .map(({ project, state }) => `${project}${because(state)}`)
  const details = troubled.length === 0 ? "" : ` (${troubled.join("; ")})`
  return `${projects.length} projects: ${counts.join(", ")}${details}`
}
