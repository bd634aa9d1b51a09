import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { changesOfStaying } from "../../Domain/config/ChangesText.ts"
import { freeName } from "../../Domain/config/FreeName.ts"
import type { ReloadData } from "../../Domain/config/SettingsData.ts"
import { settingsChanges } from "../../Domain/config/SettingsDiff.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { newlyRefused } from "../../Domain/settings/RefusedProjects.ts"
import { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import type { AddedProject } from "../../Domain/settings/SettingsProjects.ts"
import {
  type NoWorkerCommand,
  type ProjectsWithoutWorker,
  withoutWorker
} from "../../Domain/settings/WorkerLookup.ts"
import { ServiceMessage } from "../../Domain/systemd/ServiceMessage.ts"
import { usablePlansOf } from "../../Domain/worker/ProjectPlan.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { ServiceNotifier } from "../systemd/ServiceNotifier.ts"
import { Supervisor, UnknownProject } from "../worker/Supervisor.ts"

/** Brings the settings of the file into force. */
export class SettingsReload extends Context.Tag("SettingsReload")<
  SettingsReload,
  {
    /**
     * Reads and checks the whole file before anything changes. Then most settings are in force at once, new projects
     * start and removed ones stop. A running worker keeps the settings of its start, unless `restart` is set.
     */
    readonly reload: (options: {
      /** The cause of the reload, for the log. */
      readonly by: string
      readonly restart: boolean
      /** Restart the worker of this project only. */
      readonly project?: ProjectName
    }) => Effect.Effect<ReloadData, SettingsError | NoWorkerCommand | ProjectsWithoutWorker | UnknownProject>
    /**
     * Adds a project to those of the file and starts its worker. Without a name it gets that of its folder, and a number
     * where another project has that. Changes of the file that are not in force stay so.
     */
    readonly run: (
      name: ProjectName | undefined,
      project: AddedProject
    ) => Effect.Effect<ProjectName, SettingsError | NoWorkerCommand | ProjectsWithoutWorker | ProjectExists>
    /** The projects that a reload of the present file would remove; empty when the file is not valid. */
    readonly removals: Effect.Effect<ReadonlyArray<ProjectName>>
  }
>() {}

/** A new project has the name of another one. */
export class ProjectExists extends Data.TaggedError("ProjectExists")<{ readonly project: string }> {
  override get message() {
    return `There is a project "${this.project}" already, and nothing was started. Choose another name with --project, or run: autopilotd start-worker --project ${this.project}`
  }
}

/** Without a file the defaults would be in force: moving it away for a moment would stop every project. */
const gone = (file: string) =>
  new SettingsError({
    problems: [
      { file, reason: "the file is gone. Put it back, or write an empty one if the defaults are meant" }
    ]
  })

const make = Effect.gen(function* () {
  const { accept, load, loadWith, now } = yield* SettingsInForce
  const supervisor = yield* Supervisor
  const events = yield* DaemonEvents
  const notifier = yield* ServiceNotifier
  const inTurn = makeMutex()

  /** The projects whose worker runs with other settings than its next start would use. */
  const awaiting = Effect.map(supervisor.snapshots, (snapshots) =>
    snapshots
      .filter(({ awaited, state }) => awaited.length > 0 && state.leaving === undefined)
      .map(({ plan }) => plan.project)
  )

  const takeOver = Effect.fnUntraced(function* (named: ProjectName | undefined) {
    const before = now()
    const after = yield* load()
    if (before.settingsFile.found && !after.settingsFile.found)
      return yield* Effect.fail(gone(after.settingsFile.path))
    const problems = newlyRefused(before, after)
    if (problems.length > 0)
      return yield* Effect.fail(Option.getOrElse(withoutWorker(after), () => new SettingsError({ problems })))
    const plans = usablePlansOf(after)
    if (Either.isLeft(plans)) return yield* Effect.fail(plans.left)
    const known = plans.right.map(({ project }) => project)
    // A typing error in the name must not count as "nothing to restart".
    if (named !== undefined && !known.includes(named)) {
      return yield* new UnknownProject({ project: named, known })
    }
    yield* accept(after)
    yield* supervisor.apply(plans.right)
    return settingsChanges(before, after)
  })

  /** systemd counts the service as reloading until it receives READY=1, also after a failed reload. */
  const announced = <A, E>(reload: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.acquireUseRelease(
      notifier.send(ServiceMessage.Reloading()),
      () => reload,
      () => notifier.send(ServiceMessage.Ready())
    )

  return SettingsReload.of({
    run: Effect.fnUntraced(function* (wanted, project) {
      // A removed project that still stops has its name, too.
      const taken = (yield* supervisor.snapshots).map(({ plan }) => plan.project)
      const name = wanted ?? freeName(project.workingDir, taken)
      if (taken.includes(name)) return yield* new ProjectExists({ project: name })
      const after = yield* loadWith(name, project)
      const plans = usablePlansOf(after)
      if (Either.isLeft(plans)) return yield* Effect.fail(plans.left)
      yield* accept(after)
      yield* supervisor.apply(plans.right, name)
      return name
    }, inTurn),
    removals: Effect.gen(function* () {
      const plans = usablePlansOf(yield* load())
      if (Either.isLeft(plans)) return []
      const kept = plans.right.map(({ project }) => project)
      const { projects } = now()
      return projects.map(({ project }) => project).filter((name) => !kept.includes(name))
    }).pipe(Effect.orElseSucceed(() => [])),
    reload: Effect.fnUntraced(
      function* ({ by, project, restart }) {
        const changes = yield* Effect.tapError(takeOver(project), ({ message }) =>
          events.publish({ _tag: "SettingsRefused", by, reason: message })
        )
        const needed = yield* awaiting
        const restarted = restart ? needed.filter((name) => project === undefined || name === project) : []
        yield* Effect.forEach(
          restarted,
          (name) => Effect.flatMap(supervisor.project(name), (actor) => actor.command("restart")),
          { discard: true }
        )
        const awaitingRestart = needed.filter((name) => !restarted.includes(name))
        const changed = [
          ...changesOfStaying(changes).map(({ key }) => key),
          ...changes.projects_added.map((name) => `project ${name} is new`),
          ...changes.projects_removed.map((name) => `project ${name} is gone`)
        ]
        yield* events.publish({ _tag: "SettingsReloaded", by, changed, awaitingRestart })
        return { ...changes, restarted, awaiting_restart: awaitingRestart }
      },
      announced,
      inTurn
    )
  })
})

export const layer: Layer.Layer<
  SettingsReload,
  never,
  SettingsInForce | Supervisor | DaemonEvents | ServiceNotifier
> = Layer.effect(SettingsReload, make)
