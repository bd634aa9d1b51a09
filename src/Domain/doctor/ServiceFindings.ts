import { humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

/** What was seen of the service that `install` makes. */
export interface ServiceFacts {
  readonly unitPath: string
  /** Why it is not what `install` would write; continues a sentence that begins with its path. */
  readonly unitFault: string | undefined
  readonly launcherPath: string
  /** Why the launcher cannot start the daemon, and why it is not what `install` would write. */
  readonly launcherBroken: string | undefined
  readonly launcherFault: string | undefined
  /** When the launcher was written, in milliseconds since 1970. */
  readonly launcherWrittenMs: number | undefined
  /** What `systemctl show` says of the unit. */
  readonly properties: ReadonlyMap<string, string>
  /** Undefined where it cannot be known. */
  readonly lingers: boolean | undefined
  /** Why the unit's lines in the journal cannot be read; undefined when they can. */
  readonly journalProblem: string | undefined
}

/** The service, as far as there can be one. */
export type ServiceSight =
  | { readonly _tag: "NoManager"; readonly reason: string }
  | { readonly _tag: "NotInstalled" }
  | { readonly _tag: "Installed"; readonly facts: ServiceFacts }

/** What the daemon says of itself, if it runs. */
export interface DaemonSight {
  readonly pid: number | undefined
  /** In milliseconds since 1970; up to a second later than it was, for it is told in whole seconds how long it runs. */
  readonly startedMs: number | undefined
  /** Where its workers are kept together. Undefined while none runs. */
  readonly containment: "cgroup" | "tree" | undefined
}

const service = "Service"
const renew = "Run: autopilotd install"

const fileFindings = ({ launcherBroken, launcherFault, launcherPath, unitFault, unitPath }: ServiceFacts) => [
  ...(unitFault === undefined
    ? []
    : [
        warning(
          service,
          `${unitPath} ${unitFault}.`,
          `${renew}. What is to differ belongs into a drop-in: systemctl --user edit autopilotd`
        )
      ]),
  ...(launcherBroken === undefined
    ? launcherFault === undefined
      ? []
      : [warning(service, `${launcherPath} ${launcherFault}.`, renew)]
    : [error(service, `It cannot be started: ${launcherPath} ${launcherBroken}.`, renew)])
]

const staleFindings = (
  { launcherWrittenMs }: ServiceFacts,
  { startedMs }: DaemonSight
): ReadonlyArray<Finding> =>
  launcherWrittenMs !== undefined && startedMs !== undefined && launcherWrittenMs > startedMs
    ? [
        warning(
          service,
          "The daemon was started before the last autopilotd install, and runs with what was installed then: Node, autopilotd and PATH.",
          "When its workers may be interrupted: systemctl --user restart autopilotd"
        )
      ]
    : []

const isOn = (state: string): boolean => state === "enabled" || state === "enabled-runtime"

const stateFindings = ({ properties }: ServiceFacts, daemon: DaemonSight): ReadonlyArray<Finding> => {
  const of = (name: string) => properties.get(name) ?? ""
  const load = of("LoadState")
  if (load === "masked") {
    return [error(service, "It is masked, so that nothing starts it.", "systemctl --user unmask autopilotd")]
  }
  if (load !== "loaded") {
    return [
      error(
        service,
        `systemd cannot use the unit (${printable(load)}): ${printable(of("LoadError"), 200)}.`,
        `systemctl --user daemon-reload. If that does not help: ${renew.toLowerCase()}`
      )
    ]
  }
  const mainPid = Number(of("MainPID"))
  const active = of("ActiveState")
  const isOther = daemon.pid !== undefined && daemon.pid !== mainPid
  return [
    ...(of("NeedDaemonReload") === "yes"
      ? [warning(service, "systemd has not read the unit as it is now.", "systemctl --user daemon-reload")]
      : []),
    ...(isOn(of("UnitFileState"))
      ? []
      : [
          warning(
            service,
            `It is ${printable(of("UnitFileState") || "not enabled")}, so nothing starts it with the machine.`,
            "systemctl --user enable autopilotd"
          )
        ]),
    ...(isOther
      ? [
          warning(
            service,
            `The daemon that runs (pid ${daemon.pid}) is not the service's, which cannot start beside it.`,
            "autopilotd stop, then: systemctl --user start autopilotd"
          )
        ]
      : active === "failed"
        ? [
            error(
              service,
              `It has failed (${printable(of("Result"))}) and systemd does not start it again.`,
              "See why: journalctl --user -u autopilotd -n 30. Then: systemctl --user restart autopilotd"
            )
          ]
        : active === "inactive"
          ? [warning(service, "It is not running.", "systemctl --user start autopilotd")]
          : [fine(service, `It is ${printable(active)} and ${printable(of("UnitFileState"))}.`)])
  ]
}

const lingerFindings = ({ lingers }: ServiceFacts): ReadonlyArray<Finding> => {
  const about = "Lingering"
  if (lingers === undefined) return []
  return lingers
    ? [fine(about, "On: the service runs also while you are not logged in.")]
    : [warning(about, "Off: the service and its workers end when you log out.", "loginctl enable-linger")]
}

const journalFindings = ({ journalProblem }: ServiceFacts): ReadonlyArray<Finding> => {
  const about = "Journal"
  return journalProblem === undefined
    ? [fine(about, "journalctl --user -u autopilotd shows the service's lines.")]
    : [
        warning(
          about,
          `${printable(journalProblem, 300)} The daemon's own log has the same lines.`,
          "Keep the journal on disk: sudo mkdir -p /var/log/journal && sudo systemctl restart systemd-journald"
        )
      ]
}

/** A limit of systemd in bytes; undefined where there is none. */
const limitOf = (value: string | undefined): number | undefined =>
  value !== undefined && /^[0-9]+$/.test(value) && Number.isSafeInteger(Number(value))
    ? Number(value)
    : undefined

const groupFindings = ({ properties }: ServiceFacts, daemon: DaemonSight): ReadonlyArray<Finding> => {
  const about = "Cgroup"
  const edit = "Take it out: systemctl --user edit autopilotd"
  const high = limitOf(properties.get("MemoryHigh"))
  const max = limitOf(properties.get("MemoryMax"))
  const isDelegated = properties.get("Delegate") === "yes"
  return [
    ...(high === undefined
      ? []
      : [
          warning(
            about,
            `MemoryHigh=${humanBytes(high)} of the unit slows the daemon and its workers down together, until the watchdog ends them.`,
            `${edit}. A worker's limit is memory.worker_limit_bytes`
          )
        ]),
    ...(max === undefined
      ? []
      : [
          warning(
            about,
            `MemoryMax=${humanBytes(max)} of the unit holds for the daemon and all its workers together.`,
            `${edit}. A worker's limit is memory.worker_limit_bytes`
          )
        ]),
    ...(isDelegated
      ? []
      : [
          warning(
            about,
            "Delegate= of the unit is off: workers are found by process tree, and what hides from that can escape.",
            `${renew}, or remove the drop-in that switches it off`
          )
        ]),
    ...(isDelegated && daemon.containment === "tree"
      ? [
          warning(
            about,
            "The worker has no group of its own, although the unit allows it.",
            "The daemon's log says why"
          )
        ]
      : []),
    ...(isDelegated && daemon.containment === "cgroup"
      ? [fine(about, "Each worker has a group of its own, from which nothing escapes.")]
      : [])
  ]
}

/** Of the service that runs the daemon, and of what it needs from the machine. */
export const serviceFindings = (sight: ServiceSight, daemon: DaemonSight): ReadonlyArray<Finding> => {
  switch (sight._tag) {
    case "NoManager":
      return [fine(service, `${sight.reason} The daemon runs in a terminal or with start --detach.`)]
    case "NotInstalled":
      return [
        fine(
          service,
          "Not installed. autopilotd install makes the daemon one of systemd's services, which start with the machine."
        )
      ]
    case "Installed": {
      const { facts } = sight
      return [
        ...fileFindings(facts),
        ...staleFindings(facts, daemon),
        ...stateFindings(facts, daemon),
        ...groupFindings(facts, daemon),
        ...lingerFindings(facts),
        ...journalFindings(facts)
      ]
    }
  }
}
