import * as Data from "effect/Data"

/** What the daemon tells the service manager (sd_notify(3)). */
export type ServiceMessage =
  /** It can be asked. Also the end of a reload. */
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Reloading" }
  /** It has begun to end. */
  | { readonly _tag: "Stopping" }
  /** One line for `systemctl status`. */
  | { readonly _tag: "Status"; readonly text: string }
  /** A sign of life for the watchdog. */
  | { readonly _tag: "Alive" }
  /** What is under way takes longer, this long from now at the most until more is said. */
  | { readonly _tag: "ExtendTimeout"; readonly forMs: number }

export const ServiceMessage = Data.taggedEnum<ServiceMessage>()

/** The manager takes 4 KiB at once and shows one line; more than this is no line for a person. */
const maxStatusLength = 300

/** Text on one line, without what acts on a terminal or cannot be written as UTF-8. */
const statusLine = (text: string): string => {
  const characters = [...text.replace(/[\s\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ").trim()]
  return characters.length > maxStatusLength
    ? `${characters.slice(0, maxStatusLength - 3).join("")}...`
    : characters.join("")
}

/** The message as it is sent. `monotonicMicros` is the kernel's monotonic clock, which tells reloads apart. */
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

/** Of these only the last counts. The others are steps of which none may be left out. */
const isSuperseded = (older: ServiceMessage, newer: ServiceMessage): boolean =>
  older._tag === newer._tag &&
  (newer._tag === "Status" || newer._tag === "Alive" || newer._tag === "ExtendTimeout")

/** What waits to be sent when one more is to be: in the order it was said, without what says nothing any more. */
export const alsoWaiting = <Waiting extends { readonly message: ServiceMessage }>(
  waiting: ReadonlyArray<Waiting>,
  next: Waiting
): ReadonlyArray<Waiting> => [...waiting.filter(({ message }) => !isSuperseded(message, next.message)), next]
