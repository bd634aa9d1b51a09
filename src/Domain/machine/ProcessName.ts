import type { ProcessDetails } from "./ProcessFacts.ts"

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/** The kernel appends this when the file was replaced or removed, as an upgrade does. */
const deletedSuffix = / \(deleted\)$/

const programOf = ({ executable }: ProcessDetails): string | undefined =>
  executable?.replace(deletedSuffix, "")

/** The name of the program's file, because Node 24 names itself MainThread; without one, the name in `comm`. */
export const processName = (details: ProcessDetails): string => {
  const program = programOf(details)
  return program === undefined || program === "" ? details.comm : baseName(program)
}

/**
 * The first entry of `protect` that matches a process: its name or its `comm`, as `ps` and `top` show them, the
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
 * Whether this is an autopilotd of any home and release, or one of its commands: the original's program, or the
 * launcher or bundle as the script that an interpreter runs. A file of that name among the arguments of another program
 * does not count.
 */
export const isAutopilotd = (details: ProcessDetails): boolean => {
  const [command = "", ...args] = details.argv
  if (isAutopilotdFile(processName(details)) || isAutopilotdFile(command)) return true
  // Options, and perhaps their values, precede the script.
  const script = args.findIndex((word, at) => {
    const before = args[at - 1] ?? ""
    const mayBeValue = before.startsWith("-") && !before.includes("=")
    return !word.startsWith("-") && (!mayBeValue || isAutopilotdFile(word))
  })
  return isAutopilotdFile(args[script] ?? "")
}
