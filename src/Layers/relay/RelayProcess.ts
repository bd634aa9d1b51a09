import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { relayEnvironment, relayNodeOptions } from "../../Domain/relay/RelayChild.ts"
import { type RelayReport, reportIn } from "../../Domain/relay/RelayReport.ts"
import type { RelaySettings } from "../../Domain/relay/RelaySettings.ts"
import { jsonText, printable } from "../../Domain/text/Printable.ts"
import { describeExit } from "../../Domain/tree/WorkerExit.ts"
import { makeInbox } from "../concurrency/Inbox.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { Caller } from "../daemon/Caller.ts"
import { startPiped } from "../files/ProgramStart.ts"

interface RunningRelay {
  /** Returns when it has exited: how, in words that continue a sentence about it. */
  readonly ended: Effect.Effect<string>
  /** Waits for its next report. */
  readonly report: Effect.Effect<RelayReport>
}

/** Starts the relay beside the daemon. */
export class RelayProcess extends Context.Tag("RelayProcess")<
  RelayProcess,
  {
    /** Ends it with the scope. Fails with words that continue a sentence about it. */
    readonly start: (settings: RelaySettings) => Effect.Effect<RunningRelay, string, Scope.Scope>
  }
>() {}

/** The wait for its exit after each signal. */
const exitLimit = Duration.seconds(2)

/** Its last output on standard error is kept, in characters; a report is shorter than a line may be. */
const keptLength = 4000
const maxLineLength = 8000

/** Calls back with each line. A line that is too long is dropped. */
const lineReader = (onLine: (line: string) => void) => {
  let rest = ""
  return (text: string): void => {
    const lines = `${rest}${text}`.split("\n")
    rest = lines.pop() ?? ""
    if (rest.length > maxLineLength) rest = ""
    lines.forEach(onLine)
  }
}

const lastLine = (said: string): string => printable(said.trim().split("\n").at(-1) ?? "", 300)

/** It must go before the daemon when the machine runs out of memory. */
const offerToKernel = (pid: number): Effect.Effect<void> =>
  Effect.tryPromise(async () => {
    const own = Number(await fs.readFile("/proc/self/oom_score_adj", "utf8"))
    await fs.writeFile(`/proc/${pid}/oom_score_adj`, String(Math.min(1000, own + 300)))
  }).pipe(
    // Where the kernel refuses it, or the process is gone, nothing else depends on it.
    Effect.ignore
  )

export const layer: Layer.Layer<RelayProcess, never, Caller | AutopilotHome> = Layer.effect(
  RelayProcess,
  Effect.gen(function* () {
    const { environment, program } = yield* Caller
    const { root } = yield* AutopilotHome
    const [runtime, ...args] = program

    const launch = Effect.gen(function* () {
      const reports = makeInbox<RelayReport>()
      const exited = yield* Deferred.make<string>()
      let said = ""
      const onLine = lineReader((line) => {
        const report = reportIn(line)
        if (report !== undefined) reports.add(report)
      })
      const child = yield* startPiped(
        runtime,
        [...relayNodeOptions, ...args, "relay"],
        { cwd: "/", detached: true, env: relayEnvironment(environment, root) },
        (started) => {
          started.stdout.setEncoding("utf8").on("data", onLine)
          started.stderr.setEncoding("utf8").on("data", (text: string) => {
            said = `${said}${text}`.slice(-keptLength)
          })
          // A relay that is gone is noticed by its exit.
          started.stdin?.on("error", () => undefined)
          started.once("exit", (code, signal) => {
            const last = lastLine(said)
            const how = `ended (${describeExit({ code, signal })})`
            Deferred.unsafeDone(exited, Exit.succeed(last === "" ? how : `${how}: ${last}`))
          })
        },
        "pipe"
      ).pipe(Effect.mapError(({ reason }) => `could not be started: ${reason}`))
      return { child, ended: Deferred.await(exited), report: reports.take }
    })

    return {
      start: Effect.fnUntraced(function* (settings) {
        const { child, ended, report } = yield* Effect.acquireRelease(launch, ({ child, ended }) =>
          Effect.gen(function* () {
            for (const signal of ["SIGTERM", "SIGKILL"] as const) {
              child.kill(signal)
              if ((yield* Effect.timeoutOption(Effect.interruptible(ended), exitLimit))._tag === "Some")
                return
            }
          })
        )
        // The pipe stays open: its end tells the relay that the daemon is gone.
        child.stdin?.write(`${jsonText(settings)}\n`)
        if (child.pid !== undefined) yield* offerToKernel(child.pid)
        return { ended, report }
      })
    }
  })
)
