import * as Either from "effect/Either"
import * as Struct from "effect/Struct"
import { withGiven } from "../adapter/GivenOptions.ts"
import type { EffectiveProject, WorkerToRun } from "./EffectiveSettings.ts"
import { optionNames } from "./SettingsMerge.ts"
import type { SettingsProblem } from "./SettingsProblem.ts"
import { argvOf } from "./WorkerCommand.ts"
import type { FoundWorker } from "./WorkerLookup.ts"

/** The settings that a command of the user's own takes as options of its agent. */
const givenKeys = { model: "model", maxBudget: "max_budget", maxTurns: "max_turns" } as const

/**
 * A worker with its arguments. Options of the command line become those of the agent, also for a command of the user's
 * own, or are refused: one that nothing follows must not be ignored. Those of other sources are defaults of all projects.
 */
export const workerToRun = (
  worker: FoundWorker,
  settings: EffectiveProject["settings"],
  provenance: EffectiveProject["provenance"]
): Either.Either<WorkerToRun, ReadonlyArray<SettingsProblem>> => {
  const argv = argvOf(worker.command, settings)
  if (worker.command._tag !== "Command") return Either.right({ ...worker, argv })
  const given = Object.fromEntries(
    Struct.keys(givenKeys)
      .filter((key) => provenance.get(givenKeys[key]) === "command line")
      .map((key) => [key, settings[key]])
  )
  const passed = withGiven(argv, given)
  if (passed.unpassed.length === 0) return Either.right({ ...worker, argv: passed.argv })
  const where =
    provenance.get("worker_command") === "command line" ? "after --" : "in worker_command of the settings"
  return Either.left(
    passed.unpassed.map(({ option, reason }) => ({
      key: optionNames[givenKeys[option]] ?? option,
      reason: `${reason}. Leave it out, or write the program's own option into its command line, ${where}`
    }))
  )
}
