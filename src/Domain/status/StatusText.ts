import { describePressure } from "../memory/MemoryWords.ts"
import { counted, humanBytes, humanDuration } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { shellLine } from "../text/ShellLine.ts"
import { stateStyle, styled } from "../text/Style.ts"
import { agentWords, type ClockTime, lastAgentWords, reasonWords } from "./AgentWords.ts"
import { degradedParts, relayProblem } from "./DegradedParts.ts"
import { projectOption, withProject } from "./ProjectOption.ts"
import type { StatusReply } from "./StatusData.ts"
import { reasonBeside, stateWord } from "./WorkerSentence.ts"

interface StatusTextOptions {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number
  readonly clockTime: ClockTime
  /** Whether the state is coloured. */
  readonly colour: boolean
}

const title = "Autopilot Daemon Status"

/** Longer texts from the wire end in `...`. */
const maxTextLength = 600

const shown = (text: string): string => printable(text, maxTextLength)

/** The original writes GB for powers of 1024, and scripts read that line. */
const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`

const memoryLevel = (status: StatusReply): string | undefined => {
  const {
    memory_critical_threshold_bytes: critical,
    memory_level: level,
    memory_min_available_bytes: low
  } = status
  if (level === undefined || low === undefined || critical === undefined) return level
  return `${level} (low: below ${humanBytes(low)}, critical: below ${humanBytes(critical)})`
}

const swap = ({ swap_free_bytes: free, swap_total_bytes: total }: StatusReply): string | undefined =>
  free === undefined || total === undefined || total === 0
    ? undefined
    : `${humanBytes(free)} of ${humanBytes(total)} free`

const share = (bytes: number, processes: number | undefined): string =>
  processes === undefined
    ? humanBytes(bytes)
    : `${humanBytes(bytes)} in ${counted(processes, "process", "processes")}`

/** The memory of the process tree. The peak is left out while it is the present amount. */
const workerMemory = (status: StatusReply): string | undefined => {
  const { worker_limit_bytes: limit, worker_memory_bytes: held, worker_swap_bytes: inSwap = 0 } = status
  if (held === undefined) return undefined
  const peak = humanBytes(status.worker_peak_memory_bytes ?? held)
  return [
    share(held, status.worker_processes),
    inSwap === 0 ? "" : ` (${humanBytes(inSwap)} of it in swap)`,
    peak === humanBytes(held) ? "" : `, at most ${peak} so far`,
    limit === undefined ? "" : `; limit ${humanBytes(limit)}`
  ].join("")
}

const containment = ({ containment: held }: StatusReply): string | undefined =>
  held && { cgroup: "its own cgroup", tree: "by its process tree" }[held]

/** Undefined while no process waits for memory. */
const pressure = (status: StatusReply): string | undefined => {
  const some = status.memory_pressure_some_per_mille ?? 0
  return some === 0 ? undefined : describePressure(some, status.memory_pressure_full_per_mille ?? 0)
}

const nextStart = (atMs: number, nowMs: number): string =>
  atMs - nowMs < 1000 ? "now" : `in ${humanDuration(atMs - nowMs)}`

/** The beginning of the state, where the uptime does not tell it. */
const since = (
  { state_since_ms: sinceMs, worker_pid: pid }: StatusReply,
  clockTime: ClockTime,
  nowMs: number
): string | undefined =>
  pid !== null || sinceMs === undefined
    ? undefined
    : `${clockTime(sinceMs, nowMs)} (${humanDuration(Math.max(0, nowMs - sinceMs))} ago)`

const projectCounts = (counts: Readonly<Record<string, number>>): string | undefined => {
  const entries = Object.entries(counts).filter(([, count]) => count > 0)
  const total = entries.reduce((sum, [, count]) => sum + count, 0)
  if (total < 2) return undefined
  return entries.map(([state, count]) => `${count} ${state}`).join(", ")
}

const daemon = (status: StatusReply): string | undefined => {
  const facts = [
    status.daemon_version === undefined ? "" : `version ${status.daemon_version}`,
    status.daemon_pid === undefined ? "" : `PID ${status.daemon_pid}`,
    status.daemon_uptime_seconds === undefined
      ? ""
      : `up ${humanDuration(status.daemon_uptime_seconds * 1000)}`
  ].filter((fact) => fact !== "")
  return facts.length === 0 ? undefined : facts.join(", ")
}

/** The selected project, where another one is shown. */
const selectedProject = ({ project, selected_project: selected }: StatusReply): string | undefined =>
  selected === undefined || selected === project ? undefined : `${shown(selected)} (autopilotd switch)`

const awaited = (status: StatusReply): string | undefined => {
  const settings = status.awaiting_restart ?? []
  if (settings.length === 0) return undefined
  return `${shown(settings.join(", "))}; effective at the next start (autopilotd restart-worker${shown(projectOption(status))})`
}

/**
 * Formats a status, ending in a newline. The first lines are laid out like the original's. Texts of the answer are
 * untrusted and cannot control the terminal.
 */
export const statusText = (status: StatusReply, { clockTime, colour, nowMs }: StatusTextOptions): string => {
  const text = (given: string | undefined) => (given === undefined ? undefined : shown(given))
  const degraded = degradedParts(status.degraded ?? [])
  const relay = relayProblem(degraded)
  const state = stateWord(status)
  const because = reasonBeside(status)
  const lines: ReadonlyArray<readonly [label: string, value: string | undefined]> = [
    [
      "Worker status",
      styled(colour ? stateStyle(state) : undefined, state === "" ? "not known yet" : shown(state))
    ],
    ["Worker PID", status.worker_pid === null ? undefined : String(status.worker_pid)],
    ["Uptime", humanDuration(status.uptime_seconds * 1000)],
    ["Total restarts", String(status.total_restarts)],
    ["Failures", String(status.consecutive_failures)],
    [
      "Memory",
      `${gigabytes(status.memory_available_bytes)} / ${gigabytes(status.memory_total_bytes)} available`
    ],
    ["Memory level", memoryLevel(status)],
    ["Memory limit", status.memory_bound_by && `set by the cgroup ${shown(status.memory_bound_by)}`],
    ["Memory waits", pressure(status)],
    ["Swap", swap(status)],
    ["Worker memory", workerMemory(status)],
    ["Containment", containment(status)],
    ["Project", text(status.project)],
    ["Selected", projectCounts(status.projects ?? {}) && selectedProject(status)],
    [
      "Why",
      text(
        because &&
          withProject(reasonWords(because, status.agent, { clockTime, nowMs }), projectOption(status))
      )
    ],
    ["Since", since(status, clockTime, nowMs)],
    ["Unfinished line", text(status.unfinished_line)],
    [
      "Next start",
      status.next_start_at_ms === undefined ? undefined : nextStart(status.next_start_at_ms, nowMs)
    ],
    ...(status.agent === undefined ? [] : agentWords(status.agent, nowMs)),
    ...(status.last_agent === undefined ? [] : lastAgentWords(status.last_agent)),
    ["Last exit", text(status.last_exit)],
    ["Command", status.worker_command?.length ? shellLine(status.worker_command) : undefined],
    ["Folder", text(status.working_dir)],
    ["Settings changed", awaited(status)],
    ["Daemon", text(daemon(status))],
    ["Projects", text(projectCounts(status.projects ?? {}))],
    [
      "Degraded",
      degraded.concerns.length === 0
        ? undefined
        : `${shown(degraded.concerns.join(", "))} (failed; the daemon is restarting them)`
    ],
    ["Relay", relay && `${shown(relay)}; workers are not affected (autopilotd events)`]
  ]
  const body = lines.flatMap(([label, value]) =>
    value === undefined ? [] : [`${`${label}: `.padEnd(16)}${value}`]
  )
  return `${[title, "=".repeat(title.length), ...body].join("\n")}\n`
}
