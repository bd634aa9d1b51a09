import type { ErrorCode } from "../control/ErrorCode.ts"
import type { Outcome } from "../worker/Outcome.ts"

/** `interrupted` is 128 + SIGINT, as shells report it. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  workerFailed: 4,
  workerStopped: 5,
  hostFailed: 6,
  /** These three are those of sysexits.h: EX_TEMPFAIL, EX_NOPERM, EX_CONFIG. */
  usageLimit: 75,
  login: 77,
  settings: 78,
  /** As timeout(1) has it. */
  timeout: 124,
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143
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

/** The exit codes of `start --exit-when-finished`. */
export const outcomeCodes: Readonly<Record<Outcome, number>> = {
  finished: exitCodes.done,
  limited: exitCodes.usageLimit,
  stopped: exitCodes.workerStopped,
  failed: exitCodes.failed,
  "login-needed": exitCodes.login,
  misconfigured: exitCodes.settings
}

/** The exit code of `start --exit-when-finished` for an error before the first worker starts. */
export const exitCodeOfStart = (code: ErrorCode): number =>
  code === "settings_invalid" || code === "no_worker" ? exitCodes.settings : exitCodeOf(code)

const signalCodes: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130 }

/**
 * The exit code of `start --exit-when-finished` when the daemon was stopped before the work was finished: 128 and the number
 * of the signal, as shells have it, or that of a stopped worker. 0 would tell an engine that the work is done.
 */
export const exitCodeOfStop = (by: string): number =>
  by.startsWith("SIG") ? (signalCodes[by] ?? exitCodes.terminated) : exitCodes.workerStopped
