import type { ProjectsData } from "../status/ProjectsData.ts"
import type { StatusReply } from "../status/StatusData.ts"

/** What the panel sees of the daemon at one moment. */
export type DaemonSight =
  | {
      readonly _tag: "Running"
      readonly projects: ProjectsData
      /** The status of the project that the page shows. */
      readonly status?: StatusReply
      /** The start of each worker that runs, by project, in milliseconds since 1970. */
      readonly starts: ReadonlyMap<string, number>
      /** Why there is no status, such as a project that was removed. */
      readonly problem?: string
    }
  | { readonly _tag: "NotRunning" }
  /** The daemon runs, and does not answer as it should. */
  | { readonly _tag: "Unwell"; readonly reason: string }

/** The start of the worker that the page shows, in milliseconds since 1970. Undefined while none runs. */
export const startOf = ({
  starts,
  status
}: Extract<DaemonSight, { readonly _tag: "Running" }>): number | undefined =>
  status === undefined || status.worker_pid === null ? undefined : starts.get(status.project ?? "")
