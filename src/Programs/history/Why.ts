import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { explain } from "../../Domain/history/Explain.ts"
import { explanationData, explanationText } from "../../Domain/history/Explanation.ts"
import { needed } from "../../Domain/history/HistoryData.ts"
import type { StatusReply } from "../../Domain/status/StatusData.ts"
import type { ServiceTrouble } from "../../Domain/systemd/UnitTrouble.ts"
import { nothingAlive } from "../../Domain/tree/UnservedHome.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { lastSignOfLife } from "../../Layers/daemon/LastSignOfLife.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { MachineBoot } from "../../Layers/machine/MachineBoot.ts"
import { localZone } from "../../Layers/machine/TimeZone.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { survivors } from "../NotAlone.ts"
import { granted } from "../Refused.ts"
import { serviceTrouble } from "../service/ServiceTrouble.ts"

/** Covers a week without events. */
const atLeast = 200

const project = ({ project: name }: Pick<Invocation["options"], "project">) =>
  name === undefined ? {} : { project: name }

/** The status of the daemon. Fails with NotRunning without one. */
const statusOf = Effect.fnUntraced(function* (options: Invocation["options"]) {
  const { request } = yield* ControlClient
  return yield* granted(yield* request({ type: "Status", ...project(options) }))
})

/**
 * Explains the state of a worker, or why no daemon runs. `status` is undefined when no daemon answers. A lasting
 * explanation says the same until something happens.
 */
export const explanationOf = Effect.fnUntraced(function* (
  status: StatusReply | undefined,
  name: Pick<Invocation["options"], "project">,
  {
    isLasting = false,
    service
  }: { readonly isLasting?: boolean; readonly service?: ServiceTrouble | undefined } = {}
) {
  const { read } = yield* HistoryReader
  const { bootedMs } = yield* MachineBoot
  const nowMs = yield* Clock.currentTimeMillis
  const zone = yield* localZone
  const { records } = yield* read({
    ...needed({ sinceMs: undefined, limit: atLeast }, nowMs, zone),
    ...project(name)
  })
  return explain({
    status,
    records,
    survivors: status === undefined ? yield* survivors : nothingAlive,
    project: name.project,
    nowMs,
    isLasting,
    service,
    lastSign: status === undefined ? yield* lastSignOfLife : undefined,
    bootedMs: yield* bootedMs,
    zone
  })
})

/** `autopilotd why`: explains the state of a worker, or of a daemon that no longer runs, and the next steps. */
export const why = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { colour, out } = yield* CommandOutput
  const status = yield* Effect.catchTag(statusOf(options), "NotRunning", () => Effect.succeed(undefined))
  const service = status === undefined ? yield* serviceTrouble : undefined
  const explanation = yield* explanationOf(status, options, { service })
  const zone = yield* localZone
  yield* out(
    options.json
      ? `${JSON.stringify({ success: true, message: explanation.sentences[0], data: explanationData(explanation) })}\n`
      : explanationText(explanation, { zone, colour })
  )
})
