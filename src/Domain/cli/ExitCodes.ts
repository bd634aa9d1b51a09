/** `interrupted` is 128 + SIGINT, as shells report it. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  workerFailed: 4,
  interrupted: 130
} as const
