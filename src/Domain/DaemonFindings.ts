import { error, fine, type Finding, warning } from "./Finding.ts"
import type { StatusReply } from "./ControlProtocol.ts"

/** What the daemon has answered. */
export type DaemonAnswer =
  | { readonly _tag: "NotRunning" }
  /** It is there, or something is, and does not answer as it should. */
  | { readonly _tag: "Unwell"; readonly reason: string }
  | { readonly _tag: "Running"; readonly status: StatusReply }

const daemon = "Daemon"

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

const failedFinding = ({ projects = {} }: StatusReply): ReadonlyArray<Finding> => {
  const failed = projects["failed"] ?? 0
  return failed === 0
    ? []
    : [
        warning(
          "Workers",
          `${failed === 1 ? "One has" : `${failed} have`} failed and ${failed === 1 ? "is" : "are"} not started again by itself.`,
          "See why and what to do: autopilotd why"
        )
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
        ...failedFinding(status)
      ]
    }
  }
}
