import { humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { openEnded } from "../text/TextLayout.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"
import { type UnitFacts, type UnitSubject, unitFileFindings, unitStateFindings } from "./UnitFindings.ts"

/** The facts about an installed service. */
export interface ServiceFacts {
  readonly daemonUnit: UnitFacts
  /** Undefined where the panel is no service. */
  readonly panelUnit: UnitFacts | undefined
  readonly launcherPath: string
  /** Why the launcher starts nothing, and how it differs from what `install` would write; each continues a sentence. */
  readonly launcherBroken: string | undefined
  readonly launcherFault: string | undefined
  /** The launcher's modification time, in milliseconds since 1970. */
  readonly launcherWrittenMs: number | undefined
  /** Undefined where it is unknown. */
  readonly lingers: boolean | undefined
  /** Why the journal cannot be read, as a sentence; undefined when it can. */
  readonly journalProblem: string | undefined
}

type ServiceSight =
  | { readonly _tag: "NoManager"; readonly reason: string }
  | { readonly _tag: "NotInstalled" }
  | { readonly _tag: "Installed"; readonly facts: ServiceFacts }

/** The running daemon, as far as its status tells. */
export interface DaemonSight {
  readonly pid: number | undefined
  /** In milliseconds since 1970, up to a second late, because the status has whole seconds. */
  readonly startedMs: number | undefined
  /** Undefined while no worker runs. */
  readonly containment: "cgroup" | "tree" | undefined
}

const service = "Service"
const subject: UnitSubject = { about: service, unit: "autopilotd", install: "autopilotd install" }
const renew = "Run: autopilotd install"

const fileFindings = ({ daemonUnit, launcherBroken, launcherFault, launcherPath }: ServiceFacts) => [
  ...unitFileFindings(subject, daemonUnit),
  ...(launcherBroken === undefined
    ? launcherFault === undefined
      ? []
      : [warning(service, `${launcherPath} ${launcherFault}.`, renew)]
    : [error(service, `systemd cannot start it: ${launcherPath} ${launcherBroken}.`, renew)])
]

const staleFindings = (
  { launcherWrittenMs }: ServiceFacts,
  { startedMs }: DaemonSight
): ReadonlyArray<Finding> =>
  launcherWrittenMs !== undefined && startedMs !== undefined && launcherWrittenMs > startedMs
    ? [
        warning(
          service,
          "The daemon was started before the last autopilotd install, and still runs with the previous Node, autopilotd and PATH.",
          "When its workers may be interrupted: systemctl --user restart autopilotd"
        )
      ]
    : []

const stateFindings = ({ daemonUnit }: ServiceFacts, daemon: DaemonSight): ReadonlyArray<Finding> => {
  const mainPid = Number(daemonUnit.properties.get("MainPID"))
  const other =
    daemon.pid !== undefined && daemon.pid !== mainPid
      ? warning(
          service,
          `The running daemon (pid ${daemon.pid}) is not the service's, which cannot start beside it.`,
          "autopilotd stop, then: systemctl --user start autopilotd"
        )
      : undefined
  return unitStateFindings(subject, daemonUnit, other)
}

const panelSubject: UnitSubject = {
  about: "Panel",
  unit: "autopilotd-gui",
  install: "autopilotd install --gui"
}

const panelFindings = (panel: UnitFacts | undefined): ReadonlyArray<Finding> =>
  panel === undefined
    ? [
        fine(
          panelSubject.about,
          "Not a service: autopilotd gui serves it in a terminal. To serve it always: autopilotd install --gui"
        )
      ]
    : [...unitFileFindings(panelSubject, panel), ...unitStateFindings(panelSubject, panel)]

const lingerFindings = ({ lingers }: ServiceFacts): ReadonlyArray<Finding> => {
  const about = "Lingering"
  if (lingers === undefined) return []
  return lingers
    ? [fine(about, "On: the service keeps running when you log out.")]
    : [warning(about, "Off: the service and its workers stop when you log out.", "loginctl enable-linger")]
}

const journalFindings = ({ journalProblem }: ServiceFacts): ReadonlyArray<Finding> => {
  const about = "Journal"
  return journalProblem === undefined
    ? [fine(about, "journalctl --user -u autopilotd shows the service's log.")]
    : [
        warning(
          about,
          `${printable(journalProblem, 300)} The daemon's own log has the same lines.`,
          "Keep the journal on disk: sudo mkdir -p /var/log/journal && sudo systemctl restart systemd-journald"
        )
      ]
}

/** Parses a limit of systemd in bytes. Undefined for `infinity`. */
const limitOf = (value: string | undefined): number | undefined =>
  value !== undefined && /^[0-9]+$/.test(value) && Number.isSafeInteger(Number(value))
    ? Number(value)
    : undefined

const groupFindings = (
  { daemonUnit: { properties } }: ServiceFacts,
  daemon: DaemonSight
): ReadonlyArray<Finding> => {
  const about = "Cgroup"
  const edit = "Remove it: systemctl --user edit autopilotd"
  const high = limitOf(properties.get("MemoryHigh"))
  const max = limitOf(properties.get("MemoryMax"))
  const isDelegated = properties.get("Delegate") === "yes"
  return [
    ...(high === undefined
      ? []
      : [
          warning(
            about,
            `MemoryHigh=${humanBytes(high)} of the unit throttles the daemon together with its workers, until the watchdog kills it.`,
            `${edit}. To limit a worker, set memory.worker_limit_bytes`
          )
        ]),
    ...(max === undefined
      ? []
      : [
          warning(
            about,
            `MemoryMax=${humanBytes(max)} of the unit limits the daemon and all its workers together.`,
            `${edit}. To limit a worker, set memory.worker_limit_bytes`
          )
        ]),
    ...(isDelegated
      ? []
      : [
          warning(
            about,
            "Delegate= of the unit is off, so workers have no cgroups: a process that leaves the process tree can escape a stop.",
            `${renew}, or remove the drop-in that switches it off`
          )
        ]),
    ...(isDelegated && daemon.containment === "tree"
      ? [
          warning(
            about,
            "The worker has no cgroup, although the unit delegates its own.",
            "Read the daemon's log"
          )
        ]
      : []),
    ...(isDelegated && daemon.containment === "cgroup"
      ? [fine(about, "Each worker has a cgroup of its own, from which no process escapes.")]
      : [])
  ]
}

/** Judges the service, and what it needs from the machine. */
export const serviceFindings = (sight: ServiceSight, daemon: DaemonSight): ReadonlyArray<Finding> => {
  switch (sight._tag) {
    case "NoManager":
      return [
        fine(
          service,
          sight.reason.includes("autopilotd start --detach")
            ? sight.reason
            : `${openEnded(sight.reason)}. Without it, run the daemon in a terminal or with autopilotd start --detach.`
        )
      ]
    case "NotInstalled":
      return [fine(service, "Not installed. To start the daemon with the machine: autopilotd install")]
    case "Installed": {
      const { facts } = sight
      return [
        ...fileFindings(facts),
        ...staleFindings(facts, daemon),
        ...stateFindings(facts, daemon),
        ...groupFindings(facts, daemon),
        ...lingerFindings(facts),
        ...journalFindings(facts),
        ...panelFindings(facts.panelUnit)
      ]
    }
  }
}
