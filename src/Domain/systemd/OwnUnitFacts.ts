import { systemdDurationMs, systemdProperties } from "./SystemctlShow.ts"

/** Who runs a unit: the manager of a user, or the one of the machine. */
type UnitManager = "user" | "system"

/** A unit of systemd by its name: `autopilotd.service`. */
export interface UnitName {
  readonly name: string
  readonly manager: UnitManager
}

/** The unit of which this daemon is the main process. */
export interface OwnUnitFacts extends UnitName {
  /** What it becomes ready by: `notify`, `simple`, ... */
  readonly type: string
  /** Whose messages are heard: `none`, `main`, `exec` or `all`. */
  readonly notifyAccess: string
  /** The groups below its own are ours to make. */
  readonly isDelegated: boolean
  /** What remains after this time of a stop is killed; undefined: nothing ever is. */
  readonly stopTimeoutMs: number | undefined
  /** The path of its cgroup from the root of the hierarchy, as `/user.slice/.../autopilotd.service`. */
  readonly controlGroup: string
}

/** The properties to ask `systemctl show` for. */
export const unitProperties = "Id,Type,NotifyAccess,Delegate,TimeoutStopUSec,ControlGroup"

const unitOfGroup = (group: string, hasUserManager: boolean): UnitName | undefined => {
  const parts = group.split("/")
  const managerAt = parts.findLastIndex((part) => /^user@[0-9]+\.service$/.test(part))
  // systemd puts an underscore before a name that a file of the kernel could have.
  const name = parts
    .slice(managerAt + 1)
    .find((part) => part.endsWith(".service"))
    ?.replace(/^_/, "")
  if (name === undefined) return undefined
  return { name, manager: managerAt >= 0 || hasUserManager ? "user" : "system" }
}

/**
 * The unit whose group, or a group below it, a process is in, by its `/proc/<pid>/cgroup`. The group of a user's manager
 * is itself a service: what is below it is that manager's. `hasUserManager` is what is known from elsewhere, for a
 * container that does not show the groups above its own.
 */
export const unitOfGroups = (cgroups: string, hasUserManager: boolean): UnitName | undefined => {
  const lines = cgroups.split("\n").map((line) => /^[0-9]+:([^:]*):(.*)$/.exec(line))
  // systemd keeps its groups in the hierarchy of v2, or in the one of v1 that is named so. The other may be there, too.
  for (const hierarchy of ["", "name=systemd"]) {
    const group = lines.find((line) => line?.[1] === hierarchy)?.[2]
    const unit = group === undefined ? undefined : unitOfGroup(group, hasUserManager)
    if (unit !== undefined) return unit
  }
  return undefined
}

/** What `systemctl show` says of a unit; undefined when it says nothing that could be used. */
export const unitFacts = (unit: UnitName, shown: string): OwnUnitFacts | undefined => {
  const properties = systemdProperties(shown)
  const controlGroup = properties.get("ControlGroup")
  const stopTimeoutMs = systemdDurationMs(properties.get("TimeoutStopUSec") ?? "")
  if (controlGroup === undefined || controlGroup === "" || stopTimeoutMs === undefined) return undefined
  return {
    name: properties.get("Id") ?? unit.name,
    manager: unit.manager,
    type: properties.get("Type") ?? "simple",
    notifyAccess: properties.get("NotifyAccess") ?? "none",
    isDelegated: properties.get("Delegate") === "yes",
    // Zero is how systemd spells "no limit" in the unit's file.
    stopTimeoutMs: stopTimeoutMs > 0 && Number.isFinite(stopTimeoutMs) ? stopTimeoutMs : undefined,
    controlGroup
  }
}
