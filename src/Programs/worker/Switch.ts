import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { argumentOf, type Invocation } from "../../Domain/cli/CommandLine.ts"
import type { ControlReply } from "../../Domain/control/ControlProtocol.ts"
import type { ProjectRow } from "../../Domain/status/ProjectsData.ts"
import { workerSentence } from "../../Domain/status/WorkerSentence.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"

const pollInterval = "50 millis"

/**
 * How often a worker that waits is looked at again once the other one is down. The daemon starts it then at once, but
 * not in the same moment; one that still waits after that waits for something else.
 */
const looksAfterEnd = 40

const isPassing = (status: string): boolean => status === "starting" || status === "stopping"

/** What has become of both projects; `before` is undefined where there is nothing to say of it. */
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

/** Looks at both projects until nothing more is on its way; undefined when there is no telling. */
const follow = Effect.fnUntraced(function* (
  target: Invocation["args"]["target"] & string,
  other: string | undefined
) {
  const { request } = yield* ControlClient
  let looksLeft = looksAfterEnd
  for (;;) {
    const { data } = yield* request({ type: "Status", project: target })
    if (data === undefined) return undefined
    const before = (yield* projects).projects.find(({ name }) => name === other)
    const isEnding = before !== undefined && isPassing(before.worker_status)
    if (!isEnding && !isPassing(data.worker_status)) {
      if (data.worker_status !== "waiting" || looksLeft === 0) return { data, before } satisfies Switched
      looksLeft--
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

/** `autopilotd switch`: selects a project, and is followed until its worker runs and the other one is down. */
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
