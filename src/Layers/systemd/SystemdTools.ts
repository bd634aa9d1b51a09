import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { startPiped } from "../files/ProgramStart.ts"

/** systemd's programs. */
type SystemdTool = "systemctl" | "loginctl" | "journalctl" | "systemd-notify"

export interface ToolAnswer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A program of systemd is missing, cannot be run, or does not exit. */
export class SystemdNotAsked extends Data.TaggedError("SystemdNotAsked")<{
  readonly tool: SystemdTool
  /** Continues a sentence that begins with the program. */
  readonly problem: string
}> {
  override get message() {
    return `${this.tool} ${this.problem}.`
  }
}

/** Runs systemd's programs, which every systemd has, while its bus needs a binary protocol. */
export class SystemdTools extends Context.Tag("SystemdTools")<
  SystemdTools,
  {
    /** Returns the output, whatever the exit code. Kills the program after the limit, by default 10 seconds. */
    readonly run: (
      tool: SystemdTool,
      args: ReadonlyArray<string>,
      limit?: Duration.DurationInput
    ) => Effect.Effect<ToolAnswer, SystemdNotAsked>
  }
>() {}

/** An answer takes milliseconds, unless the manager hangs. */
const usualLimit = Duration.seconds(10)

const runTool = (tool: SystemdTool, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<ToolAnswer, SystemdNotAsked>()
    const [out, err]: [Array<Buffer>, Array<Buffer>] = [[], []]
    return yield* Effect.acquireUseRelease(
      startPiped(
        tool,
        args,
        // Plain English, whatever the terminal and the language of the caller.
        { env: { ...process.env, SYSTEMD_COLORS: "0", SYSTEMD_PAGER: "", LC_ALL: "C.UTF-8" } },
        (child) => {
          child.stdout.on("data", (chunk: Buffer) => out.push(chunk))
          child.stderr.on("data", (chunk: Buffer) => err.push(chunk))
          child.once("close", (code, signal) => {
            const [stdout, stderr] = [
              Buffer.concat(out).toString("utf8"),
              Buffer.concat(err).toString("utf8")
            ]
            Deferred.unsafeDone(
              ended,
              code === null
                ? Exit.fail(new SystemdNotAsked({ tool, problem: `was killed by ${signal}` }))
                : Exit.succeed({ code, stdout, stderr })
            )
          })
        }
      ).pipe(
        Effect.mapError(({ code, reason }) => {
          const problem =
            code === "ENOENT" ? "is not installed or not on PATH" : `could not be run: ${reason}`
          return new SystemdNotAsked({ tool, problem })
        })
      ),
      () => Deferred.await(ended),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
  })

export const layer: Layer.Layer<SystemdTools> = Layer.succeed(SystemdTools, {
  run: (tool, args, limit = usualLimit) =>
    runTool(tool, args).pipe(
      Effect.timeoutFail({
        duration: limit,
        onTimeout: () =>
          new SystemdNotAsked({ tool, problem: `did not answer within ${Duration.format(limit)}` })
      })
    )
})
