import * as fs from "node:fs"
import type { Level } from "../../Domain/text/Level.ts"

/** Whether a descriptor leads to systemd's journal, which names the socket that it has given. */
export const isJournal = (descriptor: number): boolean => {
  try {
    const { dev, ino } = fs.fstatSync(descriptor)
    return process.env["JOURNAL_STREAM"] === `${dev}:${ino}`
  } catch {
    return false // started with the descriptor closed
  }
}

const priorities: Readonly<Record<Level, string>> = { info: "<6>", warning: "<4>", error: "<3>" }

/** Lines as the journal is told how serious each is: sd-daemon(3). It counts what floods it for each by itself. */
export const withPriority = (level: Level, lines: string): string =>
  lines.replace(/^(?!$)/gm, priorities[level])
