import type { StatusReply } from "../status/StatusData.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

/** What the daemon has answered. */
export type DaemonAnswer =
  | { readonly _tag: "NotRunning" }
  /** It is there, or something is, and does not answer as it should. */
  | { readonly _tag: "Unwell"; readonly reason: string }
  | { readonly _tag: "Running"; readonly status: StatusReply }

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
          `It runs version ${running}, and this is ${installed}.`,
          "When its worker may be interrupted: systemctl --user restart autopilotd, or autopilotd stop and start"
        )
      ]

const degradedFinding = ({ degraded = [] }: StatusReply): ReadonlyArray<Finding> =>
  degraded.length === 0
    ? []
    : [
        error(
          daemon,
          `It is degraded: ${degraded.join(", ")} failed and is started again and again.`,
          "See why: autopilotd history, and the daemon's log. This is a bug in autopilotd: please report it"
        )
      ]

const counted = (count: number, one: string, more: string): string => (count === 1 ? one : `${count} ${more}`)

/** What no longer runs as it should. Of the project that was asked for, the reason is known. */
const workersFinding = ({
  projects = {},
  reason,
  worker_status: own
}: StatusReply): ReadonlyArray<Finding> => {
  const cure = "See why and what to do: autopilotd why"
  const because = (status: string) => (own === status && reason !== undefined ? `: ${reason}` : "")
  const failed = projects["failed"] ?? 0
  const restarting = projects["restarting"] ?? 0
  return [
    ...(failed === 0
      ? []
      : [
          warning(
            workers,
            `${counted(failed, "One has failed and is", "have failed and are")} not started again by itself${because("failed")}.`,
            cure
          )
        ]),
    ...(restarting === 0
      ? []
      : [
          warning(
            workers,
            `${counted(restarting, "One is", "are")} down and about to be started again${because("restarting")}.`,
            cure
          )
        ])
  ]
}

/** Of the daemon, by what it answers on its socket. */
export const daemonFindings = (answer: DaemonAnswer, version: string): ReadonlyArray<Finding> => {
  switch (answer._tag) {
    case "NotRunning":
      return [fine(daemon, "None is running.")]
    case "Unwell":
      return [error(daemon, answer.reason, "See its log, or end it by its pid and start it again")]
    case "Running": {
      const { status } = answer
      return [
        fine(daemon, `It runs with pid ${status.daemon_pid ?? "unknown"} and answers.`),
        ...versionFinding(status, version),
        ...degradedFinding(status),
        ...workersFinding(status)
      ]
    }
  }
}
