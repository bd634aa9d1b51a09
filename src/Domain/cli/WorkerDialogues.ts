import type { ControlReply } from "../control/ControlProtocol.ts"
import { knownCode } from "../control/ErrorCode.ts"
import { oneOfSeveral, projectOption, withProject } from "../status/ProjectOption.ts"
import type { ProjectRow } from "../status/ProjectsData.ts"
import { stateWord, workerSentence } from "../status/WorkerSentence.ts"
import { argumentOf, type Invocation } from "./CommandLine.ts"
import {
  aboutProject,
  ask,
  concluded,
  confirm,
  type DialogueOf,
  forProject,
  pause,
  refused
} from "./Dialogue.ts"

const pollIntervalMs = 50

/** A state that soon changes by itself. `waiting` for a hung process may last, so it is an answer. */
const isPassing = (status: string): boolean => status === "starting" || status === "stopping"

/** Polls the status until the worker has settled; undefined from a daemon that sends no status. */
function* followWorker(invocation: Invocation) {
  for (;;) {
    const { data } = yield* ask({ type: "Status", ...forProject(invocation) })
    if (data === undefined || data === null || !isPassing(data.worker_status)) return data ?? undefined
    yield* pause(pollIntervalMs)
  }
}

/** The reply about a worker that has settled, in the state that was asked for or not. */
const inState = (success: boolean, message: string, data: NonNullable<ControlReply["data"]>) => ({
  success,
  message,
  ...(!success && { code: "wrong_state" }),
  data
})

const worker = (
  type: "StartWorker" | "StopWorker" | "RestartWorker",
  wanted: "running" | "stopped"
): DialogueOf =>
  function* (invocation, { nowMs }) {
    const { json, noWait } = invocation.options
    const reply = yield* ask({ type, ...forProject(invocation) })
    const data = reply.success && !noWait ? yield* followWorker(invocation) : undefined
    if (data === undefined) return concluded(json ? reply : aboutProject(reply), json)
    const project = oneOfSeveral(data)
    const worker = project === undefined ? "Worker" : `Worker of ${project}`
    const message = `${worker} ${withProject(workerSentence(data, nowMs()), projectOption(data))}`
    return concluded(inState(data.worker_status === wanted, message, data), json)
  }

/** `autopilotd start-worker`: waits until the worker runs. */
export const startWorker = worker("StartWorker", "running")

/** `autopilotd stop-worker`: waits until the process tree is gone. */
export const stopWorker = worker("StopWorker", "stopped")

/** `autopilotd restart-worker`: waits until the new worker runs. */
export const restartWorker = worker("RestartWorker", "running")

/**
 * The polls of a waiting worker after the other one has stopped. The daemon starts it within moments; one that still
 * waits after these polls waits for something else.
 */
const pollsAfterStop = 40

/** The result for both projects; `before` is undefined when only one is concerned. */
interface Switched {
  readonly data: NonNullable<ControlReply["data"]>
  readonly before: ProjectRow | undefined
}

/** Polls both projects until they have settled; undefined from a daemon that sends no status. */
function* followSwitch(target: Invocation["args"]["target"] & string, other: string | undefined) {
  let pollsLeft = pollsAfterStop
  for (;;) {
    const { data } = yield* ask({ type: "Status", project: target })
    if (data === undefined) return undefined
    const { data: all } = yield* ask({ type: "Projects" })
    const before = all?.projects.find(({ name }) => name === other)
    const isStopping = before !== undefined && isPassing(before.worker_status)
    if (!isStopping && !isPassing(data.worker_status)) {
      if (data.worker_status !== "waiting" || pollsLeft === 0) return { data, before } satisfies Switched
      pollsLeft--
    }
    yield* pause(pollIntervalMs)
  }
}

const switchSentence = (target: string, { before, data }: Switched, nowMs: number): string => {
  const head =
    data.worker_status === "running" ? `Switched to ${target}` : `${target} is selected, but does not run`
  const other =
    before === undefined
      ? ""
      : `; ${before.name} ${before.worker_status === "stopped" ? `is ${stateWord(before)}` : workerSentence(before, nowMs)}`
  return `${head}: worker ${workerSentence(data, nowMs)}${other}`
}

/** `autopilotd switch`: selects a project, and waits until its worker runs and the other one has stopped. */
export const switchProject: DialogueOf = function* (invocation, { canAsk, nowMs }) {
  const { json, keep, noWait, yes } = invocation.options
  const target = argumentOf(invocation, "target")
  const { code, data: before, message: unknown } = yield* ask({ type: "Projects" })
  if (before === undefined) return refused(unknown, knownCode(code))
  const ends = before.projects.find(
    ({ name, worker_pid }) => name === before.selected && name !== target && worker_pid !== null
  )
  if (ends !== undefined && canAsk && !keep && !yes && !json) {
    const pid = String(ends.worker_pid)
    const isWanted = yield* confirm(
      `switch stops the worker of ${ends.name}, which is running (pid ${pid}); --keep lets it run, and autopilotd use only selects. Stop it? [y/N] `
    )
    if (!isWanted)
      return {
        out: `Nothing was changed: the worker of ${ends.name} keeps running.\n`,
        refused: { reason: "Not switched", isTold: true, code: "refused" }
      }
  }
  const reply = yield* ask({
    type: "SelectProject",
    project: target,
    ...(keep === undefined ? {} : { keep })
  })
  const { selected } = before
  const switched =
    reply.success && !noWait
      ? yield* followSwitch(target, selected === target ? undefined : selected)
      : undefined
  if (switched === undefined) return concluded(reply, json)
  const { data } = switched
  const message = switchSentence(target, switched, nowMs())
  return concluded(inState(data.worker_status === "running", message, data), json)
}
