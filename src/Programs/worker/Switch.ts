import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { argumentOf, type Invocation } from "../../Domain/cli/CommandLine.ts"
import type { ControlReply } from "../../Domain/control/ControlProtocol.ts"
import type { ProjectRow } from "../../Domain/status/ProjectsData.ts"
import { workerSentence } from "../../Domain/status/WorkerSentence.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { conclude, granted } from "../Refused.ts"
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
  return yield* granted(yield* request({ type: "Projects" }))
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
  const { json, keep, noWait } = invocation.options
  const target = argumentOf(invocation, "target")
  const { selected } = yield* projects
  const reply = yield* request({
    type: "SelectProject",
    project: target,
    ...(keep === undefined ? {} : { keep })
  })
  const switched =
    reply.success && !noWait ? yield* follow(target, selected === target ? undefined : selected) : undefined
  if (switched === undefined) return yield* conclude(reply, json)
  const { data } = switched
  const message = sentence(target, switched, yield* Clock.currentTimeMillis)
  yield* conclude({ success: data.worker_status === "running", message, data }, json)
})
