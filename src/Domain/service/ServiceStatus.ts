import type { ProjectName } from "../Project.ts"
import { counted } from "../text/Amounts.ts"
import { reason, statusWord, type WorkerState } from "../worker/WorkerState.ts"

/** One project, as much as its line in `systemctl status` says of it. */
interface ProjectStatus {
  readonly project: ProjectName
  readonly state: WorkerState
}

const because = (state: WorkerState): string => {
  const why = reason(state)
  return why === undefined ? "" : `: ${why}`
}

const restarts = ({ totalRestarts }: WorkerState): string =>
  totalRestarts === 0 ? "" : `, ${counted(totalRestarts, "restart")}`

const ofOne = (state: WorkerState): string => {
  const pid = state.phase._tag === "Running" ? `, pid ${state.phase.pid}` : ""
  return `${statusWord(state)}${pid}${restarts(state)}${because(state)}`
}

/** The states in the order in which they are counted: what goes well first. */
const order = ["running", "starting", "restarting", "waiting", "stopping", "stopped", "failed"] as const

/** Those in which somebody may have to look after a project. */
const isTrouble = (state: WorkerState): boolean => {
  const word = statusWord(state)
  return word === "failed" || word === "waiting" || word === "restarting"
}

/**
 * How all projects' workers do, as one line that stays true until something happens: it names no durations.
 * `running, pid 123, 2 restarts`; `3 projects: 2 running, 1 failed (shop: it gave up)`.
 */
export const serviceStatus = (projects: ReadonlyArray<ProjectStatus>): string => {
  const [first, ...more] = projects
  if (first === undefined) return "no project"
  if (more.length === 0) return ofOne(first.state)
  const counts = order.flatMap((word) => {
    const count = projects.filter(({ state }) => statusWord(state) === word).length
    return count === 0 ? [] : [`${count} ${word}`]
  })
  const troubled = projects
    .filter(({ state }) => isTrouble(state))
    // Who is down for good comes first: the line may be cut.
    .toSorted((a, b) => Number(statusWord(b.state) === "failed") - Number(statusWord(a.state) === "failed"))
    .map(({ project, state }) => `${project}${because(state)}`)
  const who = troubled.length === 0 ? "" : ` (${troubled.join("; ")})`
  return `${projects.length} projects: ${counts.join(", ")}${who}`
}
