import type { ServiceEnvironment } from "./ServiceChannel.ts"
import { systemdDurationMs, systemdProperties } from "./SystemctlShow.ts"

/** The manager of a unit: a user's, or the machine's. */
type UnitManager = "user" | "system"

/** A unit of systemd by its name: `autopilotd.service`. */
export interface UnitName {
  readonly name: string
  readonly manager: UnitManager
}

/** Whether a process is the main process of a unit: one that a service has started inherits its environment. */
export const isMainProcess = (environment: ServiceEnvironment, pid: number): boolean =>
  environment["SYSTEMD_EXEC_PID"] === String(pid)

/** The unit whose main process this daemon is. */
export interface OwnUnitFacts extends UnitName {
  /** `Type=`: `notify`, `simple`, ... */
  readonly type: string
  /** `NotifyAccess=`: `none`, `main`, `exec` or `all`. */
  readonly notifyAccess: string
  /** `Delegate=`: the daemon may create cgroups below the unit's own. */
  readonly isDelegated: boolean
  /** `TimeoutStopSec=`: systemd kills what a stop leaves after this time. Undefined for no limit. */
  readonly stopTimeoutMs: number | undefined
  /** The path of its cgroup below the root of the hierarchy: `/user.slice/.../autopilotd.service`. */
  readonly controlGroup: string
}

/** The properties that `unitFacts` reads, for `systemctl show`. */
export const unitProperties = "Id,Type,NotifyAccess,Delegate,TimeoutStopUSec,ControlGroup"

const unitOfGroup = (group: string, hasUserManager: boolean): UnitName | undefined => {
  const parts = group.split("/")
  const managerAt = parts.findLastIndex((part) => /^user@[0-9]+\.service$/.test(part))
  // systemd escapes names that kernel files could have with an underscore.
  const name = parts
    .slice(managerAt + 1)
    .find((part) => part.endsWith(".service"))
    ?.replace(/^_/, "")
  if (name === undefined) return undefined
  return { name, manager: managerAt >= 0 || hasUserManager ? "user" : "system" }
}

/**
 * Returns the unit whose cgroup holds a process, by its `/proc/<pid>/cgroup`. A user's manager is a service itself, and
 * units below its cgroup are that user's. `hasUserManager` covers a container, which hides the cgroups above its own.
 */
export const unitOfGroups = (cgroups: string, hasUserManager: boolean): UnitName | undefined => {
  const lines = cgroups.split("\n").map((line) => /^[0-9]+:([^:]*):(.*)$/.exec(line))
  // systemd uses the v2 hierarchy, or the v1 hierarchy of that name. Both may exist.
  for (const hierarchy of ["", "name=systemd"]) {
    const group = lines.find((line) => line?.[1] === hierarchy)?.[2]
    const unit = group === undefined ? undefined : unitOfGroup(group, hasUserManager)
    if (unit !== undefined) return unit
  }
  return undefined
}

/** Parses the output of `systemctl show`. Undefined where it lacks what is needed. */
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
    // A unit file spells "no limit" as zero, too.
    stopTimeoutMs: stopTimeoutMs > 0 && Number.isFinite(stopTimeoutMs) ? stopTimeoutMs : undefined,
    controlGroup
  }
}
