import type { WorkerInCharge } from "../../Domain/tree/ProcessOrigin.ts"
import type { ProjectSnapshot } from "../worker/ProjectActor.ts"

/** What a project's worker answers for. */
export const inCharge = ({
  plan: { project },
  state: { phase },
  worker
}: ProjectSnapshot): ReadonlyArray<WorkerInCharge> => {
  switch (phase._tag) {
    case "Running":
      return [
        { project, running: worker === undefined ? undefined : { id: worker.id, leaderPid: phase.pid } }
      ]
    case "Starting":
    case "Stopping":
      return [{ project, running: undefined }]
    case "Stopped":
    case "Restarting":
    case "Waiting":
    case "Failed":
      return []
  }
}
