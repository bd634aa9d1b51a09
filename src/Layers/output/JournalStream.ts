import * as fs from "node:fs"
import type { Level } from "../../Domain/text/Style.ts"

/** The descriptor leads to systemd's journal. JOURNAL_STREAM names the socket by device and inode. */
export const isJournal = (descriptor: number): boolean => {
  try {
    const { dev, ino } = fs.fstatSync(descriptor)
    return process.env["JOURNAL_STREAM"] === `${dev}:${ino}`
  } catch {
    return false // started with the descriptor closed
  }
}

const priorities: Readonly<Record<Level, string>> = { info: "<6>", warning: "<4>", error: "<3>" }

/** Prefixes each line with its priority, see sd-daemon(3). The journal limits each priority separately. */
export const withPriority = (level: Level, lines: string): string =>
  lines.replace(/^(?!$)/gm, priorities[level])
