/** Limits the wait for file system calls whose result nothing needs any more. */
const answerMs = 1000
/** Short, because a call that has just come back still counts while its result is used. */
const pollMs = 1

/** Whether libuv's threads are in calls of the file system. */
const isAskingDisks = (): boolean =>
  process.getActiveResourcesInfo().some((resource) => resource.startsWith("FSReq"))

/**
 * Exits. Node waits at its end for all threads of libuv, and one that asks a disk that does not answer never ends: only a
 * signal then ends the process. systemd counts SIGTERM as success and SIGKILL as a failure.
 */
export const exitProcess = (code: number): void => {
  let leftMs = answerMs
  const exit = () => {
    if (!isAskingDisks()) process.exit(code)
    // No clock: Node loads nine modules for `performance`.
    leftMs -= pollMs
    if (leftMs > 0) return void setTimeout(exit, pollMs)
    process.removeAllListeners("SIGTERM")
    process.kill(process.pid, code === 0 ? "SIGTERM" : "SIGKILL")
  }
  exit()
}
