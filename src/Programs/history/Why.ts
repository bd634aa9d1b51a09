import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { historyDialogues, recordsBehind } from "../../Domain/cli/HistoryDialogues.ts"
import { explain } from "../../Domain/history/Explain.ts"
import { explanationData, explanationText } from "../../Domain/history/Explanation.ts"
import type { StatusReply } from "../../Domain/status/StatusData.ts"
import type { ServiceTrouble } from "../../Domain/systemd/UnitTrouble.ts"
import { nothingAlive } from "../../Domain/tree/UnservedHome.ts"
import { lastSignOfLife } from "../../Layers/daemon/LastSignOfLife.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { MachineBoot } from "../../Layers/machine/MachineBoot.ts"
import { localZone } from "../../Layers/machine/TimeZone.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { sayDone } from "../Answer.ts"
import { runReading } from "../cli/DialogueRun.ts"
import { survivors } from "../NotAlone.ts"
import { serviceTrouble } from "../service/ServiceTrouble.ts"
import { requireProject } from "./KnownProject.ts"

/**
 * Explains the state of a worker, or why no daemon runs. `status` is undefined when no daemon answers. A lasting
 * explanation says the same until something happens.
 */
export const explanationOf = Effect.fnUntraced(function* (
  status: StatusReply | undefined,
  { project }: Pick<Invocation["options"], "project">,
  {
    isLasting = false,
    service
  }: { readonly isLasting?: boolean; readonly service?: ServiceTrouble | undefined } = {}
) {
  const { read } = yield* HistoryReader
  const { bootedMs } = yield* MachineBoot
  const nowMs = yield* Clock.currentTimeMillis
  const zone = yield* localZone
  const { records } = yield* read(recordsBehind(project, nowMs, zone))
  return explain({
    status,
    records,
    survivors: status === undefined ? yield* survivors : nothingAlive,
    project,
    nowMs,
    isLasting,
    service,
    lastSign: status === undefined ? yield* lastSignOfLife : undefined,
    bootedMs: yield* bootedMs,
    zone
  })
})

/** Explains why no daemon runs. */
const whyNone = Effect.fnUntraced(function* (invocation: Invocation) {
  const { long: isLong, project } = invocation.options
  const { colour, columns } = yield* CommandOutput
  if (project !== undefined) yield* requireProject(project)
  const explanation = yield* explanationOf(undefined, invocation.options, { service: yield* serviceTrouble })
  yield* sayDone(
    invocation,
    { message: explanation.sentences[0] ?? "", data: explanationData(explanation) },
    explanationText(explanation, { zone: yield* localZone, colour, columns, isLong })
  )
})

/** `autopilotd why`, where the quick road does not reach: explains also a daemon that no longer runs. */
export const why = (invocation: Invocation) =>
  Effect.catchTag(runReading(historyDialogues.why, invocation), "NotRunning", () => whyNone(invocation))
