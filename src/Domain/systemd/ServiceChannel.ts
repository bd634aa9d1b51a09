/** The environment of a process, which tells a service how to reach its manager (sd_notify(3), sd_watchdog_enabled(3)). */
export type ServiceEnvironment = Readonly<Record<string, string | undefined>>

/** A way to send messages to the service manager. */
export type ServiceChannel =
  /** A datagram socket that this process has inherited. */
  | { readonly _tag: "Descriptor"; readonly descriptor: number }
  /** systemd-notify(1), once per message. */
  | { readonly _tag: "SystemdNotify" }

/** The name of the socket among those that systemd has opened (`OpenFile=...:notify`, since systemd 254). */
const socketName = "notify"

/** SD_LISTEN_FDS_START: the first descriptor that systemd passes. */
const firstDescriptor = 3

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined

const openedBySystemd = (environment: ServiceEnvironment, pid: number): number | undefined => {
  if (wholeNumber(environment["LISTEN_PID"]) !== pid) return undefined
  const names = (environment["LISTEN_FDNAMES"] ?? "").split(":")
  const at = names.indexOf(socketName)
  return at >= 0 && at < (wholeNumber(environment["LISTEN_FDS"]) ?? 0) ? firstDescriptor + at : undefined
}

/** Returns the channels to try, the cheapest first; none when this process is no service. */
export const serviceChannels = (
  environment: ServiceEnvironment,
  pid: number
): ReadonlyArray<ServiceChannel> => {
  const descriptors = [
    wholeNumber(environment["AUTOPILOTD_NOTIFY_FD"]),
    openedBySystemd(environment, pid)
  ].filter((descriptor) => descriptor !== undefined)
  return [
    ...descriptors.map((descriptor) => ({ _tag: "Descriptor", descriptor }) as const),
    ...((environment["NOTIFY_SOCKET"] ?? "") === "" ? [] : [{ _tag: "SystemdNotify" } as const])
  ]
}

/** Returns `WatchdogSec=` in milliseconds; undefined without a watchdog. */
export const watchdogMs = (environment: ServiceEnvironment, pid: number): number | undefined => {
  const micros = wholeNumber(environment["WATCHDOG_USEC"])
  // WATCHDOG_PID names one process, although its children inherit the variable.
  const isMeant =
    environment["WATCHDOG_PID"] === undefined || wholeNumber(environment["WATCHDOG_PID"]) === pid
  return isMeant && micros !== undefined && micros > 0 ? micros / 1000 : undefined
}

/** The flags of an open descriptor, from `/proc/self/fdinfo/N`. */
interface DescriptorFlags {
  /** A write fails with EAGAIN instead of blocking. */
  readonly isNonBlocking: boolean
  /** Child processes do not inherit it. */
  readonly isCloseOnExec: boolean
}

const nonBlocking = 0o4000
const closeOnExec = 0o2000000

export const descriptorFlags = (fdInfo: string): DescriptorFlags | undefined => {
  const [, octal] = /^flags:\s*([0-7]+)$/m.exec(fdInfo) ?? []
  if (octal === undefined) return undefined
  const flags = Number.parseInt(octal, 8)
  return { isNonBlocking: (flags & nonBlocking) !== 0, isCloseOnExec: (flags & closeOnExec) !== 0 }
}

/** Whether the unit's `NotifyAccess=` accepts messages of a channel: systemd-notify is not the main process. */
export const isHeard = (channel: ServiceChannel, notifyAccess: string): boolean =>
  notifyAccess === "all" || (channel._tag === "Descriptor" && notifyAccess !== "none")
