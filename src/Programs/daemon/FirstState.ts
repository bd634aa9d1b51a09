import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ProjectRow } from "../../Domain/status/ProjectsData.ts"
import { workerSentence } from "../../Domain/status/WorkerSentence.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { listed } from "../../Domain/text/TextLayout.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"

const pollInterval = "50 millis"

/** A start may wait for leftovers of an earlier run that ignore SIGTERM: then the command does not wait with it. */
const mostPolls = 200

/** A program that rejects its arguments exits within moments of its start: a worker counts as running after these polls. */
const steadyPolls = 20

const isPassing = ({ worker_status: status }: ProjectRow): boolean =>
  status === "starting" || status === "stopping"

const isRunning = ({ worker_status: status }: ProjectRow): boolean => status === "running"

/** Whether a worker that was just started does not run, and not because it is done or waits for a time that it knows. */
const hasFailed = ({ worker_status: status }: ProjectRow): boolean =>
  status === "restarting" || status === "failed"

/** The first state of workers after their start. */
export interface FirstState {
  readonly workers: ReadonlyArray<ProjectRow>
  /** A sentence for each worker, without a full stop. */
  readonly sentences: ReadonlyArray<string>
  /** The names of those that do not run although they were to; undefined without such. */
  readonly failed: string | undefined
}

/** Waits for the first state of the workers of all projects, or of one. */
export const firstState = Effect.fnUntraced(function* (project?: string) {
  const { request } = yield* ControlClient
  let steady = 0
  for (let poll = 1; ; poll++) {
    const { data } = yield* request({ type: "Projects" })
    const workers = (data?.projects ?? []).filter(({ name }) => project === undefined || name === project)
    steady = workers.some(isPassing) ? 0 : steady + 1
    const isSettled = steady > 0 && (!workers.some(isRunning) || steady >= steadyPolls)
    if (!isSettled && poll < mostPolls) {
      yield* Effect.sleep(pollInterval)
      continue
    }
    const nowMs = yield* Clock.currentTimeMillis
    const failed = workers.filter(hasFailed).map(({ name }) => name)
    return {
      workers,
      sentences: workers.map((row) => `The worker of ${printable(row.name)} ${workerSentence(row, nowMs)}`),
      failed: failed.length === 0 ? undefined : listed(failed)
    } satisfies FirstState
  }
})

/** The workers in the answer of a start to a program. */
export const workersInJson = ({ workers }: FirstState) =>
  workers.map(({ finished, name, reason, worker_pid, worker_status }) => ({
    name,
    worker_status,
    worker_pid,
    ...(finished && { finished }),
    ...(reason === undefined ? {} : { reason })
  }))
