import { processes } from "../text/Amounts.ts"

/** The processes of a home that live although no daemon answers on its socket. */
export interface UnservedHome {
  /** A process that holds the lock of the home. */
  readonly daemonPid: number | undefined
  /** The processes of the home's workers. */
  readonly workerPids: ReadonlyArray<number>
}

export const nothingAlive: UnservedHome = { daemonPid: undefined, workerPids: [] }

/** Says what lives, why that is wrong, and what to do; undefined when nothing lives. */
export const unservedHomeText = ({ daemonPid, workerPids }: UnservedHome): string | undefined => {
  if (daemonPid !== undefined) {
    return (
      `But pid ${daemonPid} holds the lock of this home: a daemon that starts, stops or hangs, or whose files were removed. ` +
      "Try again in a few seconds; if it still does not answer then, kill it."
    )
  }
  return workerPids.length === 0
    ? undefined
    : `But ${processes(workerPids)} of its workers ${workerPids.length === 1 ? "is" : "are"} still alive, and nothing ` +
        "supervises them: the daemon was killed. " +
        "Stop them with: autopilotd stop. Replace them with: autopilotd start --detach"
}
