/** `interrupted` is 128 + SIGINT, as shells report it. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  workerFailed: 4,
  interrupted: 130
} as const

/** The exit codes of `wait` for the outcomes of a work: 4 as in `status`, 124 as timeout(1) has it. */
export const waitExitCodes = {
  finished: 0,
  failed: exitCodes.workerFailed,
  stopped: 5,
  timeout: 124
} as const
