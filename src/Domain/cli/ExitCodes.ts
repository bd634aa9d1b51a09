import type { ErrorCode } from "../control/ErrorCode.ts"

/** `interrupted` is 128 + SIGINT, as shells report it. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  workerFailed: 4,
  workerStopped: 5,
  hostFailed: 6,
  /** As timeout(1) has it. */
  timeout: 124,
  interrupted: 130
} as const

/** The errors that have an exit code of their own. */
const own: Readonly<Partial<Record<ErrorCode, number>>> = {
  usage: exitCodes.usage,
  no_daemon: exitCodes.notRunning,
  worker_failed: exitCodes.workerFailed,
  worker_stopped: exitCodes.workerStopped,
  timeout: exitCodes.timeout,
  host_unreachable: exitCodes.hostFailed,
  host_refused: exitCodes.hostFailed,
  not_installed: exitCodes.hostFailed,
  other_version: exitCodes.hostFailed,
  no_ssh: exitCodes.hostFailed
}

/** The exit code of a command that fails with an error of this code. */
export const exitCodeOf = (code: ErrorCode): number => own[code] ?? exitCodes.failed
