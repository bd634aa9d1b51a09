/** The variables by which a process that was started as a service knows of it. */
export type ServiceEnvironment = Readonly<Record<string, string | undefined>>

/** A way to the service manager that may work. */
export type ServiceChannel =
  /** A socket that was left open for this process. */
  | { readonly _tag: "Descriptor"; readonly descriptor: number }
  /** A program that sends one message. */
  | { readonly _tag: "SystemdNotify" }

/** The name of the socket among those that systemd has opened (`OpenFile=...:notify`, since systemd 254). */
const socketName = "notify"

/** What systemd opens for a process begins here. */
const firstDescriptor = 3

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined

const openedBySystemd = (environment: ServiceEnvironment, pid: number): number | undefined => {
  if (wholeNumber(environment["LISTEN_PID"]) !== pid) return undefined
  const names = (environment["LISTEN_FDNAMES"] ?? "").split(":")
  const at = names.indexOf(socketName)
  return at >= 0 && at < (wholeNumber(environment["LISTEN_FDS"]) ?? 0) ? firstDescriptor + at : undefined
}

/** The ways to the service manager, the cheapest first; none when this process is no service. */
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

/** How often systemd wants a sign of life at least, in milliseconds; undefined when it does not. */
export const watchdogMs = (environment: ServiceEnvironment, pid: number): number | undefined => {
  const micros = wholeNumber(environment["WATCHDOG_USEC"])
  // Without a pid it is for whoever is there; with one for that process alone, and it is inherited.
  const isMeant =
    environment["WATCHDOG_PID"] === undefined || wholeNumber(environment["WATCHDOG_PID"]) === pid
  return isMeant && micros !== undefined && micros > 0 ? micros / 1000 : undefined
}

/** What the kernel says of an open descriptor (`/proc/self/fdinfo/N`). */
interface DescriptorFlags {
  /** A write that cannot be done at once fails instead of holding up all else. */
  readonly isNonBlocking: boolean
  /** No other program gets it. */
  readonly isCloseOnExec: boolean
}

const nonBlocking = 0o4000
const closeOnExec = 0o2000000

/** Undefined when the text does not say it. */
export const descriptorFlags = (fdInfo: string): DescriptorFlags | undefined => {
  const [, octal] = /^flags:\s*([0-7]+)$/m.exec(fdInfo) ?? []
  if (octal === undefined) return undefined
  const flags = Number.parseInt(octal, 8)
  return { isNonBlocking: (flags & nonBlocking) !== 0, isCloseOnExec: (flags & closeOnExec) !== 0 }
}

/**
 * Whether the manager hears what is sent, by the unit's `NotifyAccess=`: what the program sends comes from another
 * process than the main one.
 */
export const isHeard = (channel: ServiceChannel, notifyAccess: string): boolean =>
  notifyAccess === "all" || (channel._tag === "Descriptor" && notifyAccess !== "none")
