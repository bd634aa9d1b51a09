import { join } from "node:path"
import type { Readable } from "node:stream"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { type AgentSeen, noAgent } from "../../Domain/agent/AgentSeen.ts"
import { countLines, type Lines, lastLine, noRest, takeLines } from "../../Domain/output/Lines.ts"
import type { OutputStream, TailLine } from "../../Domain/output/OutputTail.ts"
import { masked, noSecrets, secretsOf } from "../../Domain/output/Secrets.ts"
import { timestamp } from "../../Domain/output/StoredLine.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import { decodeRaw } from "../../Domain/settings/SettingsDecode.ts"
import { printable } from "../../Domain/text/Printable.ts"
import type { Listen } from "../concurrency/Listeners.ts"
import { patientRace } from "../concurrency/PatientRace.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { releaseOutput } from "../output/HeldOutput.ts"
import { RotatingFiles } from "../output/RotatingFile.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { makeOutputEvidence } from "./OutputEvidence.ts"
import { makeThrottle, maxWaitingBytes } from "./OutputThrottle.ts"
import { watchUnfinishedLine } from "./UnfinishedLine.ts"
import { WorkerEcho } from "./WorkerEcho.ts"
import { WorkerLines } from "./WorkerLines.ts"

/** Reads the output of one worker. */
interface Capture {
  /**
   * Returns when both streams have ended, which is when every process that holds them is gone, or after 1 s. Call it
   * once the process tree is gone.
   */
  readonly finish: Effect.Effect<void>
  /** The last lines of both streams, the newest last: at most 64 lines and 16 KiB, with secrets masked, like all texts. */
  readonly tail: Effect.Effect<ReadonlyArray<TailLine>>
  /** Time of the last output on the monotonic clock; the start of the capture before its first output. */
  readonly lastOutputNanos: () => bigint
  /** The state of the agent, from standard output. */
  readonly agent: () => AgentSeen
  /** Tells when the state of the agent has changed. */
  readonly onAgent: Listen<[]>
  /** The line without an end after which a stream has been quiet for a second, such as a question. */
  readonly unfinished: () => string | undefined
}

/** A worker with its output streams. */
interface OutputSource {
  readonly pid: number
  readonly stdout: Readable
  readonly stderr: Readable
}

export interface ProjectLog {
  /**
   * Reads both streams without a break, because a full pipe blocks the worker. Masks `secretValues` in what it returns,
   * and in the stored lines where `log.redact` is set.
   */
  readonly capture: (worker: OutputSource, secretValues?: ReadonlyArray<string>) => Effect.Effect<Capture>
  /** Writes a line of the daemon behind the output that was read so far. */
  readonly note: (text: string) => Effect.Effect<void>
}

/**
 * Stores the output of workers in `logs/<project>/worker.log`, each line with time and stream, and passes it to the
 * daemon's own output. A slow disk delays a worker by one second at most: lines wait in memory, then reading pauses
 * once, then whole lines are dropped and a note counts them.
 */
export class WorkerLog extends Context.Tag("WorkerLog")<
  WorkerLog,
  { readonly open: (project: ProjectName) => Effect.Effect<ProjectLog, never, Scope.Scope> }
>() {}

/** The streams end with the process tree, unless an escaped process holds them. */
const finishLimit = "1 second"

const defaults = Either.getOrThrow(decodeRaw({})).log

const make = Effect.gen(function* () {
  const home = yield* AutopilotHome
  const echo = yield* WorkerEcho
  const followed = yield* WorkerLines
  const files = yield* RotatingFiles
  const events = yield* DaemonEvents
  const { changed, now } = yield* SettingsInForce

  const open = Effect.fnUntraced(function* (project: ProjectName) {
    const settingsIn = ({ projects }: EffectiveSettings) =>
      projects.find((one) => one.project === project)?.settings.log
    // A project that was removed keeps its last settings until its worker is gone.
    let settings = settingsIn(now()) ?? defaults
    yield* Effect.acquireRelease(
      Effect.sync(() => changed(() => void (settings = settingsIn(now()) ?? settings))),
      (leave) => Effect.sync(leave)
    )
    let trouble = "the disk is too slow"
    const file = yield* files.open({
      path: join(home.logDir, project, "worker.log"),
      limits: () => settings,
      // Plus the bytes that both streams may deliver before a pause.
      maxPendingBytes: maxWaitingBytes + 2 * 2 ** 20,
      onTrouble: (reason) => {
        trouble = reason ?? "the disk was too slow"
        return events.publish(
          reason === undefined ? { _tag: "LogWritten", project } : { _tag: "LogNotWritten", project, reason }
        )
      },
      onLost: (lines) =>
        events.publish({
          _tag: "OutputDropped",
          project,
          lines,
          reason: "the disk was too slow for the last of them"
        })
    })
    const run = yield* Effect.runtime<never>()
    const throttle = makeThrottle(file)
    let dropped = 0
    let earlierAgent = (): AgentSeen => noAgent

    const note = (text: string) =>
      file.write(Buffer.from(`${timestamp(new Date())} --- ${printable(text)}\n`))

    const reportDropped = () => {
      if (!note(`${dropped} lines were dropped here: ${trouble}`)) return
      const event = { _tag: "OutputDropped", project, lines: dropped, reason: trouble } as const
      dropped = 0
      Runtime.runFork(run)(events.publish(event))
    }

    const store = (stream: OutputStream, lines: Lines) => {
      if (throttle.mayStore() && dropped > 0) reportDropped()
      const stamp = Buffer.from(`${timestamp(new Date())} ${stream} `)
      if (!throttle.mayStore() || !file.write(lines, stamp)) dropped += countLines(lines)
    }

    const capture = Effect.fnUntraced(function* (
      { pid, stderr, stdout }: OutputSource,
      secretValues: ReadonlyArray<string> = []
    ) {
      const clock = yield* Effect.clock
      const nowNanos = () => clock.unsafeCurrentTimeNanos()
      const known = secretsOf(secretValues)
      const evidence = makeOutputEvidence(nowNanos(), known, earlierAgent())
      earlierAgent = evidence.agent
      const secrets = () => (settings.redact ? known : noSecrets)

      const failed = new Set<string>()
      /** A bug costs the lines that met it, never the daemon and its workers. Reported once a run. */
      const guarded = (what: string, act: () => void) => {
        try {
          act()
        } catch (defect) {
          if (failed.has(what)) return
          failed.add(what)
          const message = `${what} failed for some output of ${project}: this is a bug in autopilotd`
          Runtime.runFork(run)(Effect.logError(message, Cause.die(defect)))
        }
      }

      const follow = Effect.fnUntraced(function* (name: OutputStream, stream: Readable) {
        const ended = yield* Deferred.make<void>()
        let rest = noRest
        let hasEnded = false
        const restBytes = () => masked(rest.bytes, known.find(rest.bytes))
        const unfinished = watchUnfinishedLine(restBytes, (text) =>
          guarded("Showing an unfinished line", () => {
            note(`unfinished line of ${name}: ${text}`)
            echo.show(project, name, Buffer.from(`${text} [unfinished line]\n`), settings)
          })
        )
        const take = (some: Lines) => {
          guarded("Judging", () => evidence.add(name, some))
          guarded("Showing", () => echo.show(project, name, some, settings))
          guarded("Following", () => followed.publish(project, name, some))
          guarded("Storing", () => store(name, some))
        }
        stream.on("data", (chunk: Buffer) => {
          evidence.alive(nowNanos(), chunk)
          guarded("Reading", () => {
            const [lines, after] = takeLines(rest, chunk, secrets())
            rest = after
            for (const some of lines) take(some)
            unfinished.onOutput(lines.length > 0, after.bytes.length > 0)
          })
          throttle.hold(stream)
        })
        // A read error ends the stream; lines read before it are kept.
        stream.on("error", () => stream.destroy())
        const end = () => {
          unfinished.close()
          const line = lastLine(rest, secrets())
          rest = noRest
          if (line.length > 0) take(line)
          hasEnded = true
          Deferred.unsafeDone(ended, Exit.void)
        }
        // The stream of a worker that exited at once, and wrote nothing to it, is closed by now.
        if (stream.closed) end()
        else stream.once("close", end)
        releaseOutput(stream)
        return {
          ended: Deferred.await(ended),
          hasEnded: () => hasEnded,
          rest: () => lastLine(rest, secrets()),
          unfinished: unfinished.text
        }
      })

      note(`worker started, pid ${pid}`)
      const out = yield* follow("out", stdout)
      const err = yield* follow("err", stderr)
      const bothEnded = Effect.all([out.ended, err.ended], { discard: true })

      // Callers are uninterruptible, where Effect.timeout would wait for the loser.
      return {
        finish: Effect.suspend(() =>
          out.hasEnded() && err.hasEnded() ? Effect.void : patientRace([bothEnded, Effect.sleep(finishLimit)])
        ).pipe(
          Effect.zipRight(
            Effect.sync(() => {
              stdout.destroy()
              stderr.destroy()
              if (dropped > 0) reportDropped()
            })
          )
        ),
        tail: Effect.sync(() => evidence.tail({ out: out.rest(), err: err.rest() })),
        lastOutputNanos: evidence.lastOutputNanos,
        agent: evidence.agent,
        onAgent: evidence.onAgent,
        unfinished: () => out.unfinished() ?? err.unfinished()
      } satisfies Capture
    })

    return { capture, note: (text: string) => Effect.sync(() => void note(text)) }
  })
  return { open }
})

export const layer: Layer.Layer<
  WorkerLog,
  never,
  AutopilotHome | WorkerEcho | WorkerLines | RotatingFiles | DaemonEvents | SettingsInForce
> = Layer.effect(WorkerLog, make)
