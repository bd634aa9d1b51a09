import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { workerSentence } from "../../Domain/status/WorkerSentence.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { conclude } from "../Refused.ts"

export const pollInterval = "50 millis"

/** A state that soon changes by itself. `waiting` for a hung process may last, so it is an answer. */
export const isPassing = (status: string): boolean => status === "starting" || status === "stopping"

const forProject = ({ options }: Invocation) =>
  options.project === undefined ? {} : { project: options.project }

/** Polls the status until the worker has settled; undefined from a daemon that sends no status. */
const follow = Effect.fnUntraced(function* (invocation: Invocation) {
  const { request } = yield* ControlClient
  for (;;) {
    const { data } = yield* request({ type: "Status", ...forProject(invocation) })
    if (data === undefined || data === null || !isPassing(data.worker_status)) return data ?? undefined
    yield* Effect.sleep(pollInterval)
  }
})

const make = (type: "StartWorker" | "StopWorker" | "RestartWorker", wanted: "running" | "stopped") =>
  Effect.fnUntraced(function* (invocation: Invocation) {
    const { request } = yield* ControlClient
    const { json, noWait } = invocation.options
    const reply = yield* request({ type, ...forProject(invocation) })
    const data = reply.success && !noWait ? yield* follow(invocation) : undefined
    if (data === undefined) return yield* conclude(reply, json)
    const message = `Worker ${workerSentence(data, yield* Clock.currentTimeMillis)}`
    yield* conclude({ success: data.worker_status === wanted, message, data }, json)
  })

/** `autopilotd start-worker`: waits until the worker runs. */
export const startWorker = make("StartWorker", "running")

/** `autopilotd stop-worker`: waits until the process tree is gone. */
export const stopWorker = make("StopWorker", "stopped")

/** `autopilotd restart-worker`: waits until the new worker runs. */
export const restartWorker = make("RestartWorker", "running")
