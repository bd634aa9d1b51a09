import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { optionTable } from "../../Domain/cli/OptionTable.ts"
import { daemonUnit } from "../../Domain/service/ServiceUnit.ts"
import { shellLine } from "../../Domain/text/ShellLine.ts"
import { listed } from "../../Domain/text/TextLayout.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { AlreadyRunning } from "../../Layers/daemon/InstanceLock.ts"
import { ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { UserManager } from "../../Layers/service/UserManager.ts"
import { firstState } from "../daemon/FirstState.ts"
import { sayStarted } from "../daemon/Started.ts"
import { Refused } from "../Refused.ts"
import { servesThisHome } from "./ServicePlan.ts"
import { ownStatus, startService } from "./ServiceRun.ts"

/**
 * Whether systemd starts this home's daemon, which is then left to systemd, because two owners would start it twice.
 * Runs systemctl only where there is a unit.
 */
export const isService = Effect.gen(function* () {
  const { installed } = yield* ServiceFiles
  const [found] = yield* installed(daemonUnit)
  if (found === undefined || !(yield* servesThisHome(found.text))) return false
  const { unit } = yield* UserManager
  const { file } = yield* Effect.mapError(
    unit(daemonUnit.name),
    ({ message }) =>
      new Refused({
        reason:
          `autopilotd is installed as a service, which only systemd can start. ${message}\n` +
          "To run the daemon in this terminal instead: autopilotd start",
        code: "service_failed"
      })
  )
  return file.startsWith("enabled")
})

/** TOML strings may be written as in JSON. */
const commandSetting = (argv: ReadonlyArray<string>): string =>
  `{ type = "Command", argv = [${argv.map((word) => JSON.stringify(word)).join(", ")}] }`

/** Room for a prompt of several pages, which the user copies whole. */
const maxCommandLength = 20_000

const settingOf = {
  workdir: "working_dir",
  model: "model",
  maxBudget: "max_budget",
  maxTurns: "max_turns"
} as const

/** Refuses options and a command, which a service without a command line cannot receive. */
const refuseGiven = Effect.fnUntraced(function* ({ options, workerArgv }: Invocation) {
  const { settingsFile } = yield* AutopilotHome
  const set = (key: string, value: string) =>
    shellLine(["autopilotd", "config", "set", key, value], maxCommandLength)
  const given = [
    ...(["workdir", "model", "maxBudget", "maxTurns"] as const).flatMap((key) => {
      const value = options[key]
      return value === undefined
        ? []
        : [{ what: `--${optionTable[key].long}`, instead: set(settingOf[key], String(value)) }]
    }),
    ...(options.project === undefined
      ? []
      : [{ what: "--project", instead: `autopilotd switch ${options.project}, once the daemon runs` }]),
    ...(options.config === undefined || options.config === settingsFile
      ? []
      : [{ what: "--config", instead: `put the settings into ${settingsFile}` }]),
    ...(workerArgv === undefined
      ? []
      : [{ what: "the command after --", instead: set("worker_command", commandSetting(workerArgv)) }])
  ]
  if (given.length === 0) return
  return yield* new Refused({
    reason: [
      `autopilotd is installed as a service, which reads ${settingsFile} and has no command line: ` +
        `${listed(given.map(({ what }) => what))} cannot be passed to it. Nothing was started. Use instead:`,
      ...given.map(({ instead }) => `  ${instead}`),
      "Or remove the service: autopilotd uninstall"
    ].join("\n"),
    code: "refused"
  })
})

const isIdle = (status: string): boolean => ["stopped", "failed", "restarting", "waiting"].includes(status)

/** `autopilotd start --detach` where the daemon is a service. */
export const startAsService = Effect.fnUntraced(function* (invocation: Invocation) {
  const { logDir, root } = yield* AutopilotHome
  const { request } = yield* ControlClient
  const { keepState } = invocation.options
  yield* refuseGiven(invocation)
  const before = yield* ownStatus
  if (before !== undefined) return yield* new AlreadyRunning({ pid: before.data?.daemon_pid, root })

  const { pid, status } = yield* startService
  const data = status.data ?? undefined
  // The service keeps the saved state; a start by the user clears it.
  const wasIdle = keepState !== true && data !== undefined && isIdle(data.worker_status)
  const reply = wasIdle ? yield* request({ type: "StartWorker" }) : undefined
  const worker =
    reply === undefined || data === undefined
      ? undefined
      : `The worker was ${data.worker_status}: ${reply.message}`
  yield* sayStarted(invocation, {
    head: `autopilotd started as the service ${daemonUnit.name}, pid ${pid}.`,
    done: worker,
    json: {
      pid,
      log: `${logDir}/autopilotd.log`,
      service: daemonUnit.name,
      ...(worker === undefined ? {} : { worker })
    },
    first: yield* firstState()
  })
})
