import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { argumentOf, type Invocation } from "../../Domain/cli/CommandLine.ts"
import type { ControlReply } from "../../Domain/control/ControlProtocol.ts"
import type { ProjectRow } from "../../Domain/status/ProjectsData.ts"
import { workerSentence } from "../../Domain/status/WorkerSentence.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"
import { isPassing, pollInterval } from "./WorkerCommands.ts"

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

const projects = Effect.gen(function* () {
  const { request } = yield* ControlClient
  const reply = yield* request({ type: "Projects" })
  if (!reply.success || reply.data === undefined) {
    return yield* new Refused({ reason: reply.message, isTold: false })
  }
  return reply.data
})

/** Polls both projects until they have settled; undefined from a daemon that sends no status. */
const follow = Effect.fnUntraced(function* (
  target: Invocation["args"]["target"] & string,
  other: string | undefined
) {
  const { request } = yield* ControlClient
  let pollsLeft = pollsAfterStop
  for (;;) {
    const { data } = yield* request({ type: "Status", project: target })
    if (data === undefined) return undefined
    const before = (yield* projects).projects.find(({ name }) => name === other)
    const isStopping = before !== undefined && isPassing(before.worker_status)
    if (!isStopping && !isPassing(data.worker_status)) {
      if (data.worker_status !== "waiting" || pollsLeft === 0) return { data, before } satisfies Switched
      pollsLeft--
    }
    yield* Effect.sleep(pollInterval)
  }
})

const sentence = (target: string, { before, data }: Switched, nowMs: number): string => {
  const head =
    data.worker_status === "running" ? `Switched to ${target}` : `${target} is selected, but does not run`
  const other =
    before === undefined
      ? ""
      : `; ${before.name} ${before.worker_status === "stopped" ? "is stopped" : workerSentence(before, nowMs)}`
  return `${head}: worker ${workerSentence(data, nowMs)}${other}`
}

/** `autopilotd switch`: selects a project, and waits until its worker runs and the other one has stopped. */
export const switchProject = Effect.fnUntraced(function* (invocation: Invocation) {
  const { request } = yield* ControlClient
  const { out } = yield* CommandOutput
  const { json, keep, noWait } = invocation.options
  const target = argumentOf(invocation, "target")
  const { selected } = yield* projects
  const reply = yield* request({
    type: "SelectProject",
    project: target,
    ...(keep === undefined ? {} : { keep })
  })
  const say = (answer: ControlReply) => out(json ? `${JSON.stringify(answer)}\n` : `${answer.message}\n`)
  if (!reply.success) {
    if (json) yield* say(reply)
    return yield* new Refused({ reason: reply.message, isTold: json === true })
  }
  const switched = noWait ? undefined : yield* follow(target, selected === target ? undefined : selected)
  if (switched === undefined) return yield* say(reply)
  const message = sentence(target, switched, yield* Clock.currentTimeMillis)
  const isReached = switched.data.worker_status === "running"
  if (isReached || json) yield* say({ success: isReached, message, data: switched.data })
  if (!isReached) return yield* new Refused({ reason: message, isTold: json === true })
})
