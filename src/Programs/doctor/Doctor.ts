import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { type DaemonAnswer, daemonFindings } from "../../Domain/doctor/DaemonFindings.ts"
import { findingsText, fine, hasErrors, summary } from "../../Domain/doctor/Finding.ts"
import { homeFindings } from "../../Domain/doctor/HomeFindings.ts"
import { memoryFindings } from "../../Domain/doctor/MemoryFindings.ts"
import { notifyFindings } from "../../Domain/doctor/NotifyFindings.ts"
import { processFindings, runtimeFinding } from "../../Domain/doctor/RuntimeFindings.ts"
import { serviceFindings } from "../../Domain/doctor/ServiceFindings.ts"
import { settingsFindings, settingsProblems } from "../../Domain/doctor/SettingsFindings.ts"
import { lackingFinding, workerFindings } from "../../Domain/doctor/WorkerFindings.ts"
import { workerLimits } from "../../Domain/guard/WorkerLimit.ts"
import type { Launcher } from "../../Domain/service/Launcher.ts"
import {
  byEnvFile,
  lackingVariables,
  serviceEnvironment,
  type Variables
} from "../../Domain/service/ServiceVariables.ts"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import { openEnded } from "../../Domain/text/TextLayout.ts"
import { plansOf } from "../../Domain/worker/ProjectPlan.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { inspectHome } from "../../Layers/doctor/HomeInspection.ts"
import { inspectNotify } from "../../Layers/doctor/NotifyInspection.ts"
import { inspectService } from "../../Layers/doctor/ServiceInspection.ts"
import { inspectWorker } from "../../Layers/doctor/WorkerInspection.ts"
import * as MemoryReader from "../../Layers/machine/MemoryReader.ts"
import { checkProc, ProcFs } from "../../Layers/machine/ProcFs.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { minFreeBytesOn } from "../../Layers/output/DiskGuard.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import { loadSettings } from "../../Layers/settings/SettingsLoader.ts"
import type { HomeSurvivors } from "../../Layers/tree/HomeSurvivors.ts"
import * as EnvFile from "../../Layers/worker/EnvFile.ts"
import { sayDone } from "../Answer.ts"
import { survivors } from "../NotAlone.ts"
import { Refused } from "../Refused.ts"
import { daemonSources, sourcesOf } from "../Sources.ts"
import { serviceTrouble } from "../service/ServiceTrouble.ts"
import { version } from "../Version.ts"

const readStatus = Effect.gen(function* () {
  const { request } = yield* ControlClient
  return yield* request({ type: "Status" }).pipe(
    Effect.map(
      ({ data, message }): DaemonAnswer =>
        data === undefined || data === null
          ? { _tag: "Unwell", reason: `It answers without a status: ${openEnded(message)}.` }
          : { _tag: "Running", status: data }
    ),
    Effect.catchAll(
      (
        problem
      ): Effect.Effect<DaemonAnswer, never, HomeSurvivors | Effect.Effect.Context<typeof serviceTrouble>> =>
        problem._tag === "NotRunning"
          ? Effect.all({ _tag: Effect.succeed("NotRunning" as const), survivors, service: serviceTrouble })
          : Effect.succeed({ _tag: "Unwell", reason: problem.message })
    )
  )
})

/** With the rows of its projects, from a daemon that tells them. */
const withRows = Effect.fnUntraced(function* (answer: DaemonAnswer) {
  if (answer._tag !== "Running") return answer
  const { request } = yield* ControlClient
  const reply = yield* Effect.option(request({ type: "Projects" }))
  return { ...answer, rows: Option.getOrUndefined(reply)?.data?.projects } satisfies DaemonAnswer
})

/**
 * Checks each worker with the environment that it has: that of the running daemon, or else of the service, where there is
 * one.
 */
const workers = Effect.fnUntraced(function* (
  settings: EffectiveSettings,
  service: Launcher | undefined,
  manager: Variables,
  running: Variables | undefined
) {
  const { environment: shell } = yield* Caller
  const plans = Either.getOrElse(plansOf(settings), () => [])
  const daemon = running ?? (service === undefined ? shell : serviceEnvironment(manager, service))
  const facts = yield* Effect.forEach(
    plans,
    (plan) => Effect.map(inspectWorker(plan, daemon), (check) => ({ plan, check })),
    { concurrency: "unbounded" }
  )
  const lacking = (service === undefined ? [] : facts).map(({ check, plan }) => ({
    plan,
    names: lackingVariables(plan, shell, check.environment)
  }))
  return [
    ...facts.flatMap(({ check }) =>
      workerFindings({ ...check, pathOf: service === undefined ? "shell" : "service" })
    ),
    ...byEnvFile(lacking).map(lackingFinding)
  ]
})

/** The processes of this namespace, as far as doctor can read them. */
const seenProcesses = Effect.gen(function* () {
  const { processes } = yield* ProcFs
  const isProc = yield* Effect.either(checkProc)
  const all = yield* Effect.orElseSucceed(processes, () => [])
  return {
    foreign: Either.isLeft(isProc) ? isProc.left.message : undefined,
    uncollected: all.filter(({ parentPid, state }) => parentPid === 1 && state === "Z").length
  }
})

const examine = Effect.fnUntraced(function* (invocation: Invocation) {
  const [path] = (yield* Caller).program
  const { reading, unusable } = (yield* MemoryReader.MemoryReader).read()
  // Daemon, disks and systemd are asked at once.
  const { answer, home, processes, service } = yield* Effect.all(
    {
      answer: Effect.flatMap(readStatus, withRows),
      home: inspectHome,
      service: inspectService,
      processes: seenProcesses
    },
    { concurrency: "unbounded" }
  )
  const { environment, launcher, sight } = service
  const status = answer._tag === "Running" ? answer.status : undefined
  const running =
    invocation.options.config !== undefined || status?.daemon_pid === undefined
      ? undefined
      : yield* daemonSources(status.daemon_pid)
  const sources = running?.sources ?? (yield* sourcesOf(invocation))
  const settings = yield* Effect.either(
    loadSettings({
      ...sources,
      ...(reading === undefined ? {} : { effectiveTotalBytes: reading.totalBytes })
    })
  )
  const uptimeSeconds = status?.daemon_uptime_seconds
  const nowMs = yield* Clock.currentTimeMillis
  const [first] = Either.isRight(settings) ? settings.right.projects : []
  return [
    runtimeFinding({ version: process.version, path, platform: process.platform }),
    ...(running === undefined ? [] : [fine("Start", `${running.startedWith}.`)]),
    ...(Either.isRight(settings)
      ? settingsFindings(settings.right, { isRunning: answer._tag === "Running" })
      : settingsProblems(settings.left)),
    ...(Either.isRight(settings)
      ? yield* workers(settings.right, launcher, environment, running?.sources.environment)
      : []),
    ...homeFindings(home, {
      isRunning: answer._tag !== "NotRunning",
      minFreeBytes: minFreeBytesOn(home.disk?.totalBytes ?? 0, first?.settings.log.minFreeBytes)
    }),
    ...memoryFindings(
      reading,
      unusable,
      Either.isRight(settings) ? settings.right.thresholds : undefined,
      Either.isRight(settings) ? workerLimits(settings.right) : new Map()
    ),
    ...(Either.isRight(settings)
      ? notifyFindings(settings.right.notify, yield* inspectNotify(settings.right.settingsFile.path))
      : []),
    ...daemonFindings(answer, version),
    ...processFindings({ ...processes, daemonPid: status?.daemon_pid }),
    ...serviceFindings(sight, {
      pid: status?.daemon_pid,
      startedMs: uptimeSeconds === undefined ? undefined : nowMs - uptimeSeconds * 1000,
      containment: status?.containment
    })
  ]
})

/** `autopilotd doctor`: checks what keeps the daemon or its workers from running well. Fails when there are errors. */
export const doctor = Effect.fnUntraced(function* (invocation: Invocation) {
  const { colour, out } = yield* CommandOutput
  const { json } = invocation.options
  const findings = yield* Effect.provide(
    examine(invocation),
    Layer.mergeAll(EnvFile.layer, MemoryReader.layer, SettingsFile.layer)
  )
  const success = !hasErrors(findings)
  const message = summary(findings)
  const text = findingsText(findings, { colour })
  if (success) return yield* sayDone(invocation, { message, data: { findings } }, text)
  if (json !== true) yield* out(text)
  return yield* new Refused({
    reason: message,
    code: "problems_found",
    data: { findings },
    isTold: json !== true
  })
})
