import { join } from "node:path"
import type { Readable } from "node:stream"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { countLines, lastLine, type Lines, noRest, prefixed, takeLines } from "../Domain/Lines.ts"
import type { ProjectName } from "../Domain/Project.ts"
import { AutopilotHome } from "./AutopilotHome.ts"
import { DaemonEvents } from "./DaemonEvents.ts"
import { DaemonLog, timestamp } from "./DaemonLog.ts"
import { OwnOutput } from "./OwnOutput.ts"
import { patientRace } from "./PatientRace.ts"
import { type RotatingFile, RotatingFiles } from "./RotatingFile.ts"

/** The output of one worker being read. */
export interface Capture {
  /**
   * Returns when both streams have ended, which is when every process that holds them is gone; after 1 s it lets go
   * of them all the same. Call it once the tree is gone.
   */
  readonly finish: Effect.Effect<void>
}

export interface ProjectLog {
  /** Reads both streams from now on, always: a pipe that nobody reads would block the worker for ever. */
  readonly capture: (worker: {
    readonly pid: number
    readonly stdout: Readable
    readonly stderr: Readable
  }) => Effect.Effect<Capture>
}

/**
 * Where workers' output goes: `logs/<project>/worker.log`, each line with time and stream, and the daemon's own
 * output. A worker is never held up for more than a second: when the disk does not keep up, lines wait in memory,
 * then reading pauses once, then whole lines are dropped and one line says how many.
 */
export class WorkerLog extends Context.Tag("WorkerLog")<
  WorkerLog,
  { readonly open: (project: ProjectName) => Effect.Effect<ProjectLog, never, Scope.Scope> }
>() {}

const megabyte = 1024 * 1024
const maxWaitingBytes = 8 * megabyte
const maxPauseMs = 1000
const pauseStepMs = 20

/** After the tree is gone the streams end at once, unless a process that escaped it holds them. */
const finishLimit = "1 second"

/** Holds up a worker whose output nobody can store yet, once and for a second; then says when to drop. */
const makeThrottle = (file: RotatingFile) => {
  let pausedMs = 0
  const isFull = () => file.pendingBytes() > maxWaitingBytes
  return {
    mayStore: () => {
      if (!isFull()) pausedMs = 0
      return !isFull() || pausedMs < maxPauseMs
    },
    hold: (stream: Readable) => {
      if (!isFull() || pausedMs >= maxPauseMs) return
      stream.pause()
      const goOn = () => {
        clearInterval(timer)
        stream.off("close", goOn)
        stream.resume()
      }
      const timer = setInterval(() => {
        pausedMs += pauseStepMs
        if (!isFull() || pausedMs >= maxPauseMs) goOn()
      }, pauseStepMs)
      stream.once("close", goOn)
    }
  }
}

const make = Effect.gen(function* () {
  const home = yield* AutopilotHome
  const own = yield* OwnOutput
  const log = yield* DaemonLog
  const files = yield* RotatingFiles
  const events = yield* DaemonEvents

  const open = Effect.fnUntraced(function* (project: ProjectName) {
    let trouble = "the disk does not keep up"
    const file = yield* files.open({
      path: join(home.logDir, project, "worker.log"),
      maxBytes: 10 * megabyte,
      files: 5,
      // What one pause of both streams may still deliver comes on top.
      maxPendingBytes: maxWaitingBytes + 2 * megabyte,
      onTrouble: (reason) =>
        Effect.sync(() => {
          trouble = reason ?? "the disk did not keep up"
          if (reason === undefined) log.write("info", project, "The worker's log can be written again")
          else
            log.write("error", project, `The worker's log cannot be written, the worker goes on: ${reason}`)
        })
    })
    const run = yield* Effect.runtime<never>()
    const throttle = makeThrottle(file)
    let dropped = 0

    /** A line of ours between the worker's. */
    const note = (text: string) => file.write(Buffer.from(`${timestamp(new Date())} --- ${text}\n`))

    const tellDropped = () => {
      if (!note(`${dropped} lines were dropped here: ${trouble}`)) return
      const event = { _tag: "OutputDropped", project, lines: dropped, reason: trouble } as const
      dropped = 0
      Runtime.runFork(run)(events.publish(event))
    }

    const ownPrefix = Buffer.from(`${project}| `)

    const store = (stream: "out" | "err", lines: Lines) => {
      if (lines.length === 0) return
      own[stream](prefixed(ownPrefix, lines))
      if (throttle.mayStore() && dropped > 0) tellDropped()
      const stamp = Buffer.from(`${timestamp(new Date())} ${stream} `)
      if (!throttle.mayStore() || !file.write(prefixed(stamp, lines))) dropped += countLines(lines)
    }

    const follow = Effect.fnUntraced(function* (name: "out" | "err", stream: Readable) {
      const ended = yield* Deferred.make<void>()
      let rest = noRest
      stream.on("data", (chunk: Buffer) => {
        const [lines, after] = takeLines(rest, chunk)
        rest = after
        store(name, lines)
        throttle.hold(stream)
      })
      // A read error ends the stream like its end does; what was read before is kept.
      stream.on("error", () => stream.destroy())
      stream.once("close", () => {
        store(name, lastLine(rest))
        Deferred.unsafeDone(ended, Exit.void)
      })
      return Deferred.await(ended)
    })

    return {
      capture: Effect.fnUntraced(function* ({ pid, stdout, stderr }) {
        note(`worker started, pid ${pid}`)
        const ends = yield* Effect.all([follow("out", stdout), follow("err", stderr)])
        return {
          // Called from a finalizer, where a mere timeout would wait for what it cannot interrupt.
          finish: patientRace([Effect.all(ends, { discard: true }), Effect.sleep(finishLimit)]).pipe(
            Effect.zipRight(
              Effect.sync(() => {
                stdout.destroy()
                stderr.destroy()
                if (dropped > 0) tellDropped()
              })
            )
          )
        }
      })
    } satisfies ProjectLog
  })
  return { open }
})

export const layer: Layer.Layer<
  WorkerLog,
  never,
  AutopilotHome | OwnOutput | DaemonLog | RotatingFiles | DaemonEvents
> = Layer.effect(WorkerLog, make)
