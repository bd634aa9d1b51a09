import * as Data from "effect/Data"

/** A message to the service manager (sd_notify(3)). */
export type ServiceMessage =
  /** The control socket takes requests; or a reload is done. */
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Reloading" }
  /** The shutdown has begun. */
  | { readonly _tag: "Stopping" }
  /** One line for `systemctl status`. */
  | { readonly _tag: "Status"; readonly text: string }
  /** Resets the watchdog. */
  | { readonly _tag: "Alive" }
  /** Extends the start or stop timeout to this long from now. */
  | { readonly _tag: "ExtendTimeout"; readonly forMs: number }

export const ServiceMessage = Data.taggedEnum<ServiceMessage>()

/** In characters. The manager takes 4 KiB and shows one line. */
const maxStatusLength = 300

/** One line without controls, which act on a terminal, and without lone surrogates, which UTF-8 cannot hold. */
const statusLine = (text: string): string => {
  const characters = [...text.replace(/[\s\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ").trim()]
  return characters.length > maxStatusLength
    ? `${characters.slice(0, maxStatusLength - 3).join("")}...`
    : characters.join("")
}

/** Encodes a message. `monotonicMicros` is the kernel's monotonic clock, by which systemd tells reloads apart. */
export const messageText = (message: ServiceMessage, monotonicMicros: bigint): string => {
  switch (message._tag) {
    case "Ready":
      return "READY=1"
    case "Reloading":
      return `RELOADING=1\nMONOTONIC_USEC=${monotonicMicros}`
    case "Stopping":
      return "STOPPING=1"
    case "Status":
      return `STATUS=${statusLine(message.text)}`
    case "Alive":
      return "WATCHDOG=1"
    case "ExtendTimeout":
      return `EXTEND_TIMEOUT_USEC=${Math.round(message.forMs * 1000)}`
  }
}

/** A newer message of these kinds replaces an older one. The others are steps, and all of them are sent. */
const isSuperseded = (older: ServiceMessage, newer: ServiceMessage): boolean =>
  older._tag === newer._tag &&
  (newer._tag === "Status" || newer._tag === "Alive" || newer._tag === "ExtendTimeout")

/** Appends a message to the queue, from which it removes the ones that it replaces. */
export const alsoWaiting = <Waiting extends { readonly message: ServiceMessage }>(
  waiting: ReadonlyArray<Waiting>,
  next: Waiting
): ReadonlyArray<Waiting> => [...waiting.filter(({ message }) => !isSuperseded(message, next.message)), next]
