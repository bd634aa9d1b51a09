import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import { explain } from "../../Domain/history/Explain.ts"
import { explanationData, explanationText } from "../../Domain/history/Explanation.ts"
import { needed } from "../../Domain/history/HistoryData.ts"
import { byNeed } from "../../Domain/history/Need.ts"
import { ProjectName } from "../../Domain/Project.ts"
import type { StatusReply } from "../../Domain/status/StatusData.ts"
import type { ServiceTrouble } from "../../Domain/systemd/UnitTrouble.ts"
import { counted } from "../../Domain/text/Amounts.ts"
import { nothingAlive } from "../../Domain/tree/UnservedHome.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { lastSignOfLife } from "../../Layers/daemon/LastSignOfLife.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { MachineBoot } from "../../Layers/machine/MachineBoot.ts"
import { localZone } from "../../Layers/machine/TimeZone.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { sayDone } from "../Answer.ts"
import { survivors } from "../NotAlone.ts"
import { granted } from "../Refused.ts"
import { serviceTrouble } from "../service/ServiceTrouble.ts"
import { refuseUnknown } from "./KnownProject.ts"

const isName = Schema.is(ProjectName)

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

/** All projects, those that need a user first; undefined without a daemon. */
const whyAll = Effect.fnUntraced(function* () {
  const { request } = yield* ControlClient
  const { projects } = yield* granted(yield* request({ type: "Projects" }))
  return yield* Effect.forEach(byNeed(projects), ({ name }) =>
    Effect.gen(function* () {
      const only = isName(name) ? { project: name } : {}
      return { name, explanation: yield* explanationOf(yield* statusOf(only), only) }
    })
  )
})

/** `autopilotd why`: explains the state of a worker, or of a daemon that no longer runs, and the next steps. */
export const why = Effect.fnUntraced(function* (invocation: Invocation) {
  const { options } = invocation
  const { colour, columns } = yield* CommandOutput
  const zone = yield* localZone
  const { all, long: isLong, project: named } = options
  if (all === true && named !== undefined)
    return yield* Effect.fail(
      new UsageError({ problem: "why takes a project or --all, not both.", help: "autopilotd why --help" })
    )
  const each =
    all === true ? yield* Effect.catchTag(whyAll(), "NotRunning", () => Effect.succeed(undefined)) : undefined
  if (each !== undefined) {
    const data = {
      projects: each.map(({ explanation, name }) => ({ project: name, ...explanationData(explanation) }))
    }
    const message = counted(data.projects.length, "project")
    const texts = each.map(({ explanation: { advice, sentences } }) =>
      // One project may be looked at with its events; all of them would fill screens.
      explanationText({ advice, sentences, events: [] }, { zone, colour, columns })
    )
    return yield* sayDone(invocation, { message, data }, texts.join("\n"))
  }
  const status = yield* Effect.catchTag(statusOf(options), "NotRunning", () => Effect.succeed(undefined))
  if (status === undefined) yield* refuseUnknown(options.project, [])
  const service = status === undefined ? yield* serviceTrouble : undefined
  const explanation = yield* explanationOf(status, options, { service })
  yield* sayDone(
    invocation,
    { message: explanation.sentences[0] ?? "", data: explanationData(explanation) },
    explanationText(explanation, { zone, colour, columns, isLong })
  )
})
