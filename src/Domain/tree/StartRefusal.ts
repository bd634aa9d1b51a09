/** The name under which the shell that starts a worker reports that the kernel did not run the program. */
export const starterName = "autopilotd-worker"

/** `autopilotd-worker: 4: exec: /opt/agent: Text file busy`, as dash, bash and BusyBox say it. */
const refused = new RegExp(
  `^${starterName}: (?:(?:line )?\\d+: )?(?:exec: )?(?:line \\d+: )?(/.*): (?:cannot execute(?: binary file)?: )?(.+)$`
)

const meanings: ReadonlyArray<readonly [RegExp, string]> = [
  [/^text file busy/i, "is being written at this moment, by an installation or an update"],
  [
    /^exec format error/i,
    "is no program for this machine: it is damaged, or for another processor. Install it again"
  ]
]

/** Returns why the kernel did not run a worker's program, from a line of the shell that starts it; undefined for others. */
export const startRefusal = (line: string): string | undefined => {
  const [, path, error] = refused.exec(line) ?? []
  if (path === undefined || error === undefined) return undefined
  const meaning = meanings.find(([pattern]) => pattern.test(error))?.[1]
  return meaning === undefined ? `${path}: ${error}` : `${path} ${meaning} (${error})`
}
