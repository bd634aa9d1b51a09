import { problemLine, reloadText } from "../config/ChangesText.ts"
import { knownCode } from "../control/ErrorCode.ts"
import { budgetText } from "../session/BudgetText.ts"
import { projectsText } from "../status/ProjectsText.ts"
import { statusText } from "../status/StatusText.ts"
import { printable } from "../text/Printable.ts"
import { argumentOf } from "./CommandLine.ts"
import {
  aboutProject,
  ask,
  askPerhaps,
  concluded,
  type DialogueOf,
  forProject,
  refused,
  shown
} from "./Dialogue.ts"
import type { TalkingVerb } from "./QuickVerbs.ts"
import { forEachName, unknownProject } from "./SeveralNames.ts"
import { restartWorker, startWorker, stopWorker, switchProject } from "./WorkerDialogues.ts"

const statusOfOne: DialogueOf = function* (invocation, { clockTime, colour, nowMs }) {
  const reply = yield* ask({ type: "Status", ...forProject(invocation) })
  const outcome = shown(reply, invocation.options.json, (data) =>
    statusText(data, { clockTime, colour, nowMs: nowMs() })
  )
  if (outcome.refused !== undefined || reply.data?.worker_status !== "failed") return outcome
  return { ...outcome, refused: { reason: reply.message, isTold: true, code: "worker_failed" } }
}

/** `autopilotd status`: shows a worker's state, its reason, and what comes next. */
export const status = forEachName(statusOfOne, "\n")

/** `autopilotd projects`: shows the state of each project's worker, and the selected project. */
const projects: DialogueOf = function* (
  { args, options: { json, long, project } },
  { clockTime, colour, columns, nowMs }
) {
  const reply = yield* ask({ type: "Projects" })
  const all = reply.data?.projects ?? []
  const names: ReadonlyArray<string> | undefined = project === undefined ? args.names : [project]
  const known = all.map(({ name }) => name)
  const unknown = names?.find((name) => !known.includes(name))
  if (reply.success && reply.data !== undefined && unknown !== undefined) {
    return refused(
      unknownProject(
        unknown,
        known.map((name) => printable(name))
      ),
      "unknown_project"
    )
  }
  const rows = names === undefined ? all : all.filter(({ name }) => names.includes(name))
  const asked = reply.data && { ...reply, data: { ...reply.data, projects: rows } }
  return shown(asked ?? reply, json, (data) =>
    projectsText(data, { clockTime, colour, columns: long === true ? undefined : columns, nowMs: nowMs() })
  )
}

/** `autopilotd budget show`: what the agents of all projects have used. */
const budgetShow: DialogueOf = function* ({ options: { json, long } }, { columns }) {
  const reply = yield* ask({ type: "Budget" })
  return shown(reply, json, (data) => budgetText(data, long === true ? undefined : columns))
}

/** `autopilotd budget reset`: begins another work of a project's agent. */
const budgetReset: DialogueOf = function* (invocation) {
  const reply = yield* ask({ type: "ResetBudget", ...forProject(invocation) })
  const { json } = invocation.options
  return concluded(json ? reply : aboutProject(reply), json)
}

/** `autopilotd use`: selects a project. */
const use: DialogueOf = function* (invocation) {
  const reply = yield* ask({ type: "UseProject", project: argumentOf(invocation, "target") })
  return concluded(reply, invocation.options.json)
}

/** The time limits of a request that reads settings from a disk, which may be busy. */
const patience = { firstByteMs: 30_000, wholeMs: 30_000 } as const

/** `autopilotd reload`: brings the file into force, and prints the changes. */
const reload: DialogueOf = function* (invocation) {
  const { json, restart } = invocation.options
  const reply = yield* ask(
    { type: "ReloadConfig", ...(restart === undefined ? {} : { restart }), ...forProject(invocation) },
    patience
  )
  const { code, data, message, success } = reply
  if (json) return concluded(reply, json)
  if (data !== undefined && "problems" in data && data.problems.length > 0) {
    // The answer to a refused reload has lines, but not the path of their file.
    const settings = (yield* askPerhaps({ type: "GetConfig" }, patience))?.data
    const path = settings !== undefined && "path" in settings ? settings.path : undefined
    const lines = data.problems.map((problem) => problemLine(problem, path))
    return refused(
      [...lines, "Nothing was changed: the previous settings stay in force."].join("\n"),
      knownCode(code)
    )
  }
  if (!success || data === undefined || "problems" in data) return refused(message, knownCode(code))
  return { out: reloadText(data) }
}

/** All but `status`, which is asked most often, and has a bundle without them. */
export const otherDialogues = {
  projects,
  "start-worker": forEachName(startWorker),
  "stop-worker": forEachName(stopWorker),
  "restart-worker": forEachName(restartWorker),
  switch: switchProject,
  use,
  "budget show": budgetShow,
  "budget reset": budgetReset,
  reload
} as const satisfies Readonly<Record<Exclude<TalkingVerb, "status">, DialogueOf>>

/** The commands that only talk to the daemon. Both roads run them: see `src/Programs/README.md`. */
export const dialogues = { status, ...otherDialogues } as const satisfies Readonly<
  Record<TalkingVerb, DialogueOf>
>
