import { desktopOn } from "../notify/DesktopChannel.ts"
import type { NotifySettings } from "../settings/NotifySettings.ts"
import { counted } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { type Finding, fine, warning } from "./Finding.ts"

/** What is known about the channels beside their settings. */
export interface NotifyFacts {
  /** The settings file, where users other than its owner may read it. */
  readonly readableByOthers: string | undefined
  /** The reasons of the channels that failed last, by their names; each begins with the channel. */
  readonly failures: ReadonlyMap<string, string>
  /** The caller has a desktop. */
  readonly hasDesktop: boolean
}

const about = "Notifications"

/** Judges the channels that tell users of failures. */
export const notifyFindings = (
  { to }: NotifySettings,
  { failures, hasDesktop, readableByOthers }: NotifyFacts
): ReadonlyArray<Finding> => {
  const names = Object.keys(to)
  if (names.length === 0) return hasDesktop ? [fine(about, `Off. On this desktop, run: ${desktopOn}`)] : []
  const failing = names.flatMap((name) => {
    const reason = failures.get(name)
    return reason === undefined
      ? []
      : [
          warning(
            about,
            `The channel ${name} ${printable(reason, 300)}.`,
            `Run: autopilotd notify test ${name}`
          )
        ]
  })
  const isOpen = Object.values(to).some((channel) => "url" in channel && channel.url !== undefined)
  return [
    fine(about, `${counted(names.length, "channel")}: ${names.join(", ")}.`),
    ...failing,
    ...(readableByOthers === undefined || !isOpen
      ? []
      : [
          warning(
            about,
            `${printable(readableByOthers, 300)} holds the URL of a channel, which is a secret, and other users may read it.`,
            "Run chmod 600 on it, or move the URL into a file of its own (url_file)"
          )
        ])
  ]
}
