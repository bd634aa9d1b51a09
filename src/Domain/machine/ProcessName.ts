import type { ProcessDetails } from "./ProcessFacts.ts"

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/** The kernel marks a program whose file was replaced or removed since, as an upgrade does. */
const deletedSuffix = / \(deleted\)$/

const programOf = ({ executable }: ProcessDetails): string | undefined =>
  executable?.replace(deletedSuffix, "")

/** A process's name: of its program's file, because Node 24 calls itself MainThread; else what it calls itself. */
export const processName = (details: ProcessDetails): string => {
  const program = programOf(details)
  return program === undefined || program === "" ? details.comm : baseName(program)
}

/**
 * The first of `protect` that speaks of a process: its name or what it calls itself, as `ps` and `top` show it, the
 * beginning of the path of its program, or any part of its command line.
 */
export const protectedBy = (details: ProcessDetails, protect: ReadonlyArray<string>): string | undefined => {
  const commandLine = details.argv.join(" ")
  return protect.find(
    (entry) =>
      entry === processName(details) ||
      entry === details.comm ||
      (entry.startsWith("/") && programOf(details)?.startsWith(entry) === true) ||
      commandLine.includes(entry)
  )
}

const isAutopilotdFile = (word: string): boolean => /^autopilotd(\.js)?$/.test(baseName(word))

/**
 * Whether this is an autopilotd, of whatever home and release, or one of its commands: the original's program, or our
 * launcher or bundle as the script that an interpreter runs. A file of that name as an argument of another program
 * is none.
 */
export const isAutopilotd = (details: ProcessDetails): boolean => {
  const [command = "", ...args] = details.argv
  if (isAutopilotdFile(processName(details)) || isAutopilotdFile(command)) return true
  // Before the script stand options, and perhaps their values.
  const script = args.findIndex((word, at) => {
    const before = args[at - 1] ?? ""
    const mayBeValue = before.startsWith("-") && !before.includes("=")
    return !word.startsWith("-") && (!mayBeValue || isAutopilotdFile(word))
  })
  return isAutopilotdFile(args[script] ?? "")
}
