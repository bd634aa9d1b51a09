import { closeSync, constants, openSync } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ProjectName } from "../../Domain/Project.ts"
import { textReader } from "../../Domain/Shape.ts"
import type { TreeTrace } from "../../Domain/tree/TreeTrace.ts"
import { treeTraceShape } from "../../Domain/tree/TreeTraceShape.ts"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import type { HomePaths } from "../daemon/AutopilotHome.ts"
import { errorCode } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"

/** The part of a saved state that names processes. */
const stateIn = textReader<{ readonly tree: TreeTrace }>(() => ({ fields: [["tree", treeTraceShape()]] }))

const leaderIn = textReader<TreeTrace>(treeTraceShape)

/** Below the extension of saved states, so that no project has a state of this name. */
const leaderSuffix = ".leader"

const traceIn = (name: string, text: string): TreeTrace | undefined => {
  if (name.endsWith(".json")) return stateIn(text)?.tree
  // A shorter trace leaves the end of a longer one behind it.
  return name.endsWith(leaderSuffix) ? leaderIn(text.split("\n", 1)[0] ?? "") : undefined
}

/**
 * The processes that the files of all projects name, also of projects that the settings no longer have. A file without
 * them, or a damaged one, names none.
 */
export const savedTraces = ({ stateDir }: HomePaths): Effect.Effect<ReadonlyArray<TreeTrace>> =>
  Effect.promise(() => fs.readdir(stateDir).catch((): ReadonlyArray<string> => [])).pipe(
    Effect.flatMap(
      Effect.forEach((name) =>
        Effect.map(Effect.option(readTextFile(join(stateDir, name))), (file) =>
          Option.toArray(Option.flatMapNullable(file, ({ text }) => traceIn(name, text)))
        )
      )
    ),
    Effect.map((traces) => traces.flat())
  )

/** Where a leader writes its own pid and start time, and the text before them. */
export interface LeaderTrace {
  readonly file: string
  readonly before: string
}

/** A disk that hangs delays a start by this time; the saved state names the leader later. */
const limit = Duration.seconds(3)

/** The files on local disks that were there once. A leader makes one again that is missing. */
const present = new Set<string>()

/**
 * Makes the file in which the next leader of a project writes who it is, before it runs the agent. The daemon may be killed
 * between the start of a leader and its saved state. Undefined where the disk does not take the file. `isLocal`: the home
 * is on a disk of this machine.
 */
export const makeLeaderFile = (
  { stateDir }: HomePaths,
  project: ProjectName,
  { bootId, homeId }: Pick<TreeTrace, "bootId" | "homeId">,
  isLocal: boolean
): Effect.Effect<LeaderTrace | undefined> => {
  const file = join(stateDir, `${project}${leaderSuffix}`)
  const { O_CREAT, O_NONBLOCK, O_WRONLY } = constants
  const flags = O_WRONLY | O_CREAT | O_NONBLOCK
  const made = { file, before: `{"bootId":"${bootId}","homeId":"${homeId}","processes":[{"pid":` }
  if (isLocal) {
    if (present.has(file)) return Effect.succeed(made)
    return Effect.try(() => closeSync(openSync(file, flags, 0o600))).pipe(
      Effect.match({ onFailure: () => undefined, onSuccess: () => (present.add(file), made) })
    )
  }
  return Effect.flatMap(PlainTimer, (timer) =>
    Effect.async((resume) => {
      const say = (trace: LeaderTrace | undefined) => () => resume(Effect.succeed(trace))
      const cancel = timer.after(Duration.toMillis(limit), say(undefined))
      fs.open(file, flags, 0o600)
        .then((opened) => opened.close())
        .then(say(made), say(undefined))
        .finally(cancel)
      return Effect.sync(cancel)
    })
  )
}

/** Writes the leader file of a running worker where it is missing: a user has removed it with its folder. */
export const restoreLeaderFile = async (
  { stateDir }: HomePaths,
  project: ProjectName,
  trace: TreeTrace
): Promise<void> => {
  const file = join(stateDir, `${project}${leaderSuffix}`)
  // A leader that starts right now writes into the file that exists.
  await fs
    .writeFile(file, `${JSON.stringify(trace)}\n`, { mode: 0o600, flag: "wx" })
    .catch((cause: unknown) => {
      if (errorCode(cause) !== "EEXIST") throw cause
    })
}
