import { degradedParts, relayProblem } from "../status/DegradedParts.ts"
import { withProject } from "../status/ProjectOption.ts"
import type { ProjectRow } from "../status/ProjectsData.ts"
import type { StatusReply } from "../status/StatusData.ts"
import { type ServiceTrouble, troubleAdvice } from "../systemd/UnitTrouble.ts"
import { counted, processes } from "../text/Amounts.ts"
import { openEnded } from "../text/TextLayout.ts"
import type { UnservedHome } from "../tree/UnservedHome.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

/** The daemon's answer to Status. */
export type DaemonAnswer =
  | {
      readonly _tag: "NotRunning"
      readonly survivors: UnservedHome
      /** What keeps its service from running. */
      readonly service?: ServiceTrouble | undefined
    }
  /** Something listens on the socket, but does not answer with a status. */
  | { readonly _tag: "Unwell"; readonly reason: string }
  | {
      readonly _tag: "Running"
      readonly status: StatusReply
      /** Its projects; absent where it does not tell. */
      readonly rows?: ReadonlyArray<ProjectRow> | undefined
    }

const daemon = "Daemon"
const workers = "Workers"

const versionFinding = (
  { daemon_version: running }: StatusReply,
  installed: string
): ReadonlyArray<Finding> =>
  running === undefined || running === installed
    ? []
    : [
        warning(
          daemon,
          `It runs version ${running}, but ${installed} is installed.`,
          "When its workers may be interrupted: systemctl --user restart autopilotd, or autopilotd stop and start"
        )
      ]

const degradedFinding = ({ degraded = [] }: StatusReply): ReadonlyArray<Finding> => {
  const parts = degradedParts(degraded)
  const relay = relayProblem(parts)
  return [
    ...(parts.concerns.length === 0
      ? []
      : [
          error(
            daemon,
            `It is degraded: ${parts.concerns.join(", ")} failed and is being restarted.`,
            "Read autopilotd history and the daemon's log. This is a bug in autopilotd: report it"
          )
        ]),
    ...(relay === undefined
      ? []
      : [
          warning(
            "Relay",
            `The outside is not told what it should be: ${relay}. The workers are not affected.`,
            "The reason is in: autopilotd events"
          )
        ])
  ]
}

/** What is wrong with a worker and what follows; undefined where nothing is. */
const consequence = ({ next_start_at_ms: dueMs, worker_status: state }: ProjectRow): string | undefined =>
  state === "restarting" || (state === "failed" && dueMs !== undefined)
    ? "has failed and will be restarted"
    : state === "failed"
      ? "has failed and stays so until you act"
      : undefined

/** Warns of a worker that does not run. */
const workerFinding = (row: ProjectRow): ReadonlyArray<Finding> => {
  const { name, reason } = row
  const what = consequence(row)
  const why = reason === undefined ? "" : `: ${openEnded(withProject(reason, ` --project ${name}`))}`
  return what === undefined
    ? []
    : [warning(workers, `The worker of ${name} ${what}${why}.`, `Run: autopilotd why --project ${name}`)]
}

/** Warns of workers that do not run. The status has the reason of one project only. */
const workersFinding = ({
  projects = {},
  reason,
  worker_status: own
}: StatusReply): ReadonlyArray<Finding> => {
  const cure = "Run: autopilotd why"
  const because = (status: string) => (own === status && reason !== undefined ? `: ${openEnded(reason)}` : "")
  const failed = projects["failed"] ?? 0
  const restarting = projects["restarting"] ?? 0
  return [
    ...(failed === 0
      ? []
      : [warning(workers, `${counted(failed, "worker")} failed${because("failed")}.`, cure)]),
    ...(restarting === 0
      ? []
      : [
          warning(
            workers,
            `${counted(restarting, "worker")} failed and will be restarted${because("restarting")}.`,
            cure
          )
        ])
  ]
}

const downText = ({ lastLines }: ServiceTrouble): string =>
  lastLines.length === 0
    ? "No daemon is running, because its service does not stay up."
    : `No daemon is running, because its service does not stay up. Its last lines: ${lastLines.join(" ")}`

const absence = ({ daemonPid, workerPids }: UnservedHome, service: ServiceTrouble | undefined): Finding => {
  if (daemonPid !== undefined) {
    return error(
      daemon,
      `Pid ${daemonPid} holds the lock of this home, but does not answer.`,
      "Run this again in a few seconds; if it still does not answer then, kill that process"
    )
  }
  return workerPids.length === 0
    ? service === undefined
      ? fine(daemon, "No daemon is running.")
      : error(daemon, downText(service), `${troubleAdvice(service).join(". ")}`)
    : error(
        daemon,
        `No daemon is running, but ${processes(workerPids)} of its workers still run without supervision: the daemon was killed.`,
        "Stop them with: autopilotd stop. Replace them with: autopilotd start --detach"
      )
}

/** Judges the daemon's answer. */
export const daemonFindings = (answer: DaemonAnswer, version: string): ReadonlyArray<Finding> => {
  switch (answer._tag) {
    case "NotRunning":
      return [absence(answer.survivors, answer.service)]
    case "Unwell":
      return [error(daemon, answer.reason, "Read its log, or kill it by its pid and start it again")]
    case "Running": {
      const { status } = answer
      return [
        fine(daemon, `Running, pid ${status.daemon_pid ?? "unknown"}.`),
        ...versionFinding(status, version),
        ...degradedFinding(status),
        ...(answer.rows === undefined ? workersFinding(status) : answer.rows.flatMap(workerFinding))
      ]
    }
  }
}
