import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { durationMs } from "../../Domain/cli/SinceTime.ts"
import { workerOf } from "../../Domain/history/Explanation.ts"
import { outcomeData, outcomeOf } from "../../Domain/history/WorkOutcome.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { isProjectName } from "../../Domain/ProjectNameRules.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { sayDone } from "../Answer.ts"
import { granted, Refused } from "../Refused.ts"

const pollInterval = "500 millis"

/** Enough to hold the end of the last run. */
const readRecords = 200

const statusOf = Effect.fnUntraced(function* (project: ProjectName | undefined) {
  const { request } = yield* ControlClient
  return yield* granted(yield* request({ type: "Status", ...(project === undefined ? {} : { project }) }))
})

/** Waits until the work of a project has an outcome. The selection may change meanwhile, so its name is read once. */
const outcome = Effect.fnUntraced(function* (named: ProjectName | undefined) {
  const { read } = yield* HistoryReader
  for (;;) {
    const status = yield* statusOf(named)
    const nowMs = yield* Clock.currentTimeMillis
    if (outcomeOf(status, [], nowMs) === undefined) {
      yield* Effect.sleep(pollInterval)
      continue
    }
    const { records } = yield* read({
      limit: readRecords,
      ...(named === undefined ? {} : { project: named })
    })
    const own = records.filter((record) => !("project" in record) || record.project === status.project)
    const found = outcomeOf(status, own, nowMs)
    if (found !== undefined) return { status, found }
  }
})

/** `autopilotd wait`: returns when the work of a project is finished, failed or stopped, with that as exit code. */
export const wait = Effect.fnUntraced(function* (invocation: Invocation) {
  const { project, timeout } = invocation.options
  const first = yield* statusOf(project)
  const named = project ?? (isProjectName(first.project) ? first.project : undefined)
  const limitMs = timeout === undefined ? undefined : durationMs(timeout)
  const ended = yield* limitMs === undefined
    ? Effect.asSome(outcome(named))
    : Effect.timeoutOption(outcome(named), Duration.millis(limitMs))
  if (Option.isNone(ended)) {
    const reason = `${workerOf(first.project)} has not finished its work after ${timeout}.`
    return yield* new Refused({ reason, code: "timeout", data: { outcome: "timeout" } })
  }
  const { found, status } = ended.value
  const message = printable(`${workerOf(status.project)} ${found.sentence}`)
  const data = outcomeData(status, found)
  if (found.outcome === "finished") return yield* sayDone(invocation, { message, data }, `${message}\n`)
  const code = found.outcome === "failed" ? "worker_failed" : "worker_stopped"
  return yield* new Refused({ reason: message, code, data })
})
