import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { projectsText } from "../../Domain/status/ProjectsText.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { granted, Refused } from "../Refused.ts"

/** `autopilotd projects`: shows the state of each project's worker, and the selected project. */
export const projects = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { request } = yield* ControlClient
  const { colour, out } = yield* CommandOutput
  const reply = yield* request({ type: "Projects" })
  const { projects: all } = yield* granted(reply)
  const { project, json } = options
  const shown = project === undefined ? all : all.filter(({ name }) => name === project)
  if (project !== undefined && shown.length === 0) {
    const names = all.map(({ name }) => printable(name)).join(", ")
    const reason = `There is no project "${project}" here. The projects are: ${names}.`
    return yield* new Refused({ reason })
  }
  yield* out(
    json
      ? `${JSON.stringify({ ...reply, data: { ...reply.data, projects: shown } })}\n`
      : projectsText({ projects: shown }, { colour, nowMs: yield* Clock.currentTimeMillis })
  )
})
