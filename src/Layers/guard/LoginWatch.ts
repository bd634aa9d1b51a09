import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { changedLogins, type LoginStop } from "../../Domain/login/LoginChange.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { stoppedForLogin } from "../../Domain/worker/WorkerState.ts"
import { pollLoop } from "../concurrency/PollLoop.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { Logins } from "../worker/Logins.ts"
import type { ProjectSnapshot } from "../worker/ProjectActor.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** A person who has logged in looks at the status next; a look costs a system call for each file. */
const lookMs = 10_000

/** The time of the last change, a replaced file's included; undefined without a file, or an answer of the disk. */
const changeOf = (path: string, project: ProjectName) =>
  askDisk(
    `the login of ${project}`,
    path,
    Effect.promise(() =>
      fs.stat(path).then(
        ({ ctimeMs, mtimeMs }) => Math.max(ctimeMs, mtimeMs),
        () => undefined
      )
    )
  ).pipe(Effect.orElseSucceed(() => undefined))

/** Whether the run of a worker has neither worked nor ended yet. */
const isUndecided = ({ state: { phase, work } }: ProjectSnapshot): boolean =>
  (phase._tag === "Starting" || phase._tag === "Running" || phase._tag === "Stopping") &&
  (work.run?.turns ?? 0) === 0

const make = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  const logins = yield* Logins
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  const isWanted = yield* Effect.makeLatch(true)
  /** The files of the logins that have started a project, until its run is decided. */
  const trials = new Map<ProjectName, ReadonlyArray<string>>()

  const stopOf = Effect.fnUntraced(function* ({ plan }: ProjectSnapshot, atMs: number) {
    const { project } = plan
    const { files = [] } = (yield* logins.of(plan)) ?? {}
    return {
      project,
      atMs,
      files: yield* Effect.forEach(files, (path) =>
        Effect.map(changeOf(path, project), (changedMs) => ({ path, changedMs }))
      )
    } satisfies LoginStop
  })

  const check = Effect.gen(function* () {
    const snapshots = yield* supervisor.snapshots
    for (const snapshot of snapshots) if (!isUndecided(snapshot)) trials.delete(snapshot.plan.project)
    const stopped = snapshots.flatMap((snapshot) => {
      const atMs = stoppedForLogin(snapshot.state)
      return atMs === undefined ? [] : [{ snapshot, atMs }]
    })
    const stops = yield* Effect.forEach(stopped, ({ atMs, snapshot }) => stopOf(snapshot, atMs))
    for (const { path, project } of changedLogins(stops, new Set([...trials.values()].flat()))) {
      const actor = yield* supervisor.project(project)
      const { phase } = (yield* actor.snapshot).state
      if (phase._tag !== "Failed") continue
      const files = stops.find((stop) => stop.project === project)?.files ?? []
      trials.set(
        project,
        files.map((file) => file.path)
      )
      yield* events.publish({ _tag: "LoginChanged", project, path })
      yield* actor.release(phase.because)
    }
    return stops.length > 0 ? lookMs : undefined
  }).pipe(
    // The project was removed meanwhile.
    Effect.catchTag("UnknownProject", () => Effect.succeed(lookMs))
  )

  // The reason of a stop that needs a person comes with its state; that of an earlier daemon is there at the first look.
  yield* events.hear(["PersonNeeded"], () => void isWanted.unsafeOpen())
  yield* concerns.run("login watch", pollLoop(isWanted, check))
})

/** Starts a worker that needs a login once, when the files of its login change. Looks only while there is such a one. */
export const layer: Layer.Layer<never, never, Supervisor | Logins | DaemonEvents | Concerns> =
  Layer.scopedDiscard(make)
