import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { withGiven } from "../../Domain/adapter/GivenOptions.ts"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { optionTable } from "../../Domain/cli/OptionTable.ts"
import { freeName } from "../../Domain/config/FreeName.ts"
import { type AddedProject, tableText } from "../../Domain/settings/SettingsProjects.ts"
import { usablePlansOf } from "../../Domain/worker/ProjectPlan.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { loadUsable } from "../../Layers/settings/SettingsLoader.ts"
import { folderAt } from "../../Layers/settings/SettingsPaths.ts"
import { programOn } from "../../Layers/tree/Executable.ts"
import { sayDone } from "../Answer.ts"
import { openSettings } from "../config/OpenSettings.ts"
import { failureCode } from "../Failure.ts"
import { granted, Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"
import { detach } from "./Detach.ts"
import { firstState, workersInJson } from "./FirstState.ts"

/** What the command line asks to run. The daemon has another PATH than the caller, so the program is looked up here. */
const asked = Effect.fnUntraced(function* ({ options, workerArgv }: Invocation) {
  const { cwd, environment, userHome } = yield* Caller
  const [program = "", ...rest] = workerArgv ?? []
  const workingDir = folderAt(options.workdir ?? ".", { cwd, userHome })
  const found = yield* programOn(environment["PATH"] ?? "", program, cwd)
  const { argv, unpassed } = withGiven([found ?? program, ...rest], options)
  if (unpassed.length === 0) return { argv, workingDir } satisfies AddedProject
  return yield* new Refused({
    reason: unpassed
      .map(
        ({ option, reason }) =>
          `--${optionTable[option].long} ${reason}. Leave it out, or write the program's own option into its command line, after --.`
      )
      .join("\n"),
    code: "refused"
  })
})

/** Writes the project's table to the end of the settings file, and returns the path. */
const save = Effect.fnUntraced(function* (name: string, project: AddedProject) {
  const { current, set } = yield* openSettings({ options: {} })
  const before = current.text.trimEnd()
  const text = `${before}${before === "" ? "" : "\n\n"}${tableText(name, project)}`
  yield* set(text, { dryRun: false })
  return current.path
})

/** The start of a daemon that `run` needs. */
const startOf = (
  invocation: Invocation,
  options: Invocation["options"],
  workerArgv?: Invocation["workerArgv"]
) => detach({ ...invocation, verb: "start", options: { ...options, detach: true }, workerArgv })

/** Where no daemon runs and the settings start nothing, the daemon starts with this worker alone. */
const startAlone = Effect.fnUntraced(function* (invocation: Invocation, project: AddedProject) {
  const { json, model, maxBudget, maxTurns, project: given, save: isSaved } = invocation.options
  const name = given ?? freeName(project.workingDir, [])
  const said = json === undefined ? {} : { json }
  if (isSaved === true) {
    yield* save(name, project)
    return yield* startOf(invocation, { project: name, ...said })
  }
  const options = {
    workdir: project.workingDir,
    ...(model === undefined ? {} : { model }),
    ...(maxBudget === undefined ? {} : { maxBudget }),
    ...(maxTurns === undefined ? {} : { maxTurns }),
    project: name,
    ...said
  }
  yield* startOf(invocation, options, invocation.workerArgv)
})

/** Adds the project to the daemon that runs, waits for the first state of its worker, and reports it. */
const runBeside = Effect.fnUntraced(function* (invocation: Invocation, project: AddedProject, head: string) {
  const { options } = invocation
  const { request } = yield* ControlClient
  const { argv, workingDir } = project
  const reply = yield* request({
    type: "RunProject",
    working_dir: workingDir,
    argv,
    ...(options.project === undefined ? {} : { project: options.project })
  })
  const { project: name = "" } = yield* granted(reply)
  const first = yield* firstState(name)
  const saved = options.save === true ? yield* Effect.either(save(name, project)) : undefined
  const kept =
    saved === undefined
      ? "With --save it stays in the settings; without, it is a project until: autopilotd stop"
      : Either.isRight(saved)
        ? `It is kept in ${saved.right}, as [projects.${name}].`
        : `It was not saved in the settings: ${saved.left.message}`
  const commands = ["logs -f", "status", "stop-worker"].map(
    (words) => `autopilotd ${words} --project ${name}`
  )
  const text = [
    head,
    ...first.sentences.map((sentence) => `${sentence}.`),
    kept,
    `Next: ${commands.join(", ")}`
  ]
    .filter((line) => line !== "")
    .join("\n")
  const data = { project: name, workers: workersInJson(first) }
  if (first.failed !== undefined) return yield* new Refused({ reason: text, code: "wrong_state", data })
  if (saved !== undefined && Either.isLeft(saved))
    return yield* new Refused({ reason: text, code: failureCode(saved.left), data })
  yield* sayDone(invocation, { message: text, data }, `${text}\n`)
})

const withoutOutput = <A, E, R>(command: Effect.Effect<A, E, R>) =>
  Effect.updateService(command, CommandOutput, (output) => ({ ...output, out: () => Effect.void }))

/** `autopilotd run -- CMD`: one more agent beside those that run, in a daemon that it starts where none runs. */
export const run = Effect.fnUntraced(function* (invocation: Invocation) {
  const { request } = yield* ControlClient
  const project = yield* asked(invocation)
  const isRunning = yield* request({ type: "Status" }).pipe(
    Effect.as(true),
    Effect.catchTag("NotRunning", () => Effect.succeed(false))
  )
  if (isRunning) return yield* runBeside(invocation, project, "")
  const settings = yield* loadUsable(yield* sourcesOf({ ...invocation, options: {}, workerArgv: undefined }))
  if (Either.isLeft(usablePlansOf(settings))) return yield* startAlone(invocation, project)
  // The state of the other workers is no answer to this command.
  const started = yield* Effect.either(withoutOutput(startOf(invocation, {})))
  const head = "No daemon was running: it was started in the background, with the projects of the settings."
  yield* runBeside(invocation, project, head).pipe(
    Effect.catchTag("NotRunning", (error) => Effect.fail(Either.isLeft(started) ? started.left : error))
  )
})
