import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import type { WorkerAtStake } from "../../Domain/guard/GuardDecision.ts"
import type { ProjectSnapshot } from "../worker/ProjectActor.ts"

/** What matters of each project's worker when one may have to be restarted for memory. */
export const workersAtStake = (
  snapshots: ReadonlyArray<ProjectSnapshot>,
  { projects }: EffectiveSettings
): ReadonlyArray<WorkerAtStake> =>
  snapshots.map(({ plan: { project }, state: { phase }, worker }) => ({
    project,
    criticalRestart:
      projects.find((one) => one.project === project)?.settings.memory.criticalRestart ?? "if-cause",
    startedMs:
      phase._tag === "Running" && worker !== undefined ? Number(worker.startedNanos) / 1e6 : undefined,
    isEnding: phase._tag === "Stopping"
  }))
