import { join } from "node:path"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { timestamp } from "../../Domain/output/StoredLine.ts"
import { harmlessEntry } from "../../Domain/text/Printable.ts"
import type { Level } from "../../Domain/text/Style.ts"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { OwnOutput } from "../output/OwnOutput.ts"
import { RotatingFiles } from "../output/RotatingFile.ts"

/** The daemon's own log: `logs/autopilotd.log` and standard error. */
export class DaemonLog extends Context.Tag("DaemonLog")<
  DaemonLog,
  {
    /** `at` is the time of the line, by default now. */
    readonly write: (level: Level, project: string | undefined, text: string, at?: Date) => void
    /**
     * Runs `act`, which writes, within 10 ms: the events of a restart are written together, after the start of the worker.
     * Whatever is written meanwhile comes after it.
     */
    readonly later: (act: () => void) => void
    /** Runs what is to run later now. */
    readonly settle: () => void
  }
>() {}

const laterMs = 10

const megabyte = 1024 * 1024

const words: Record<Level, string> = { info: "INFO ", warning: "WARN ", error: "ERROR" }

const make = Effect.gen(function* () {
  const home = yield* AutopilotHome
  const own = yield* OwnOutput
  const files = yield* RotatingFiles
  const timer = yield* PlainTimer
  const lineOf = (level: Level, project: string | undefined, text: string, at = new Date()) =>
    `${timestamp(at)} ${words[level]} ${project === undefined ? "" : `${project}: `}${harmlessEntry(text)}\n`
  const file = yield* files.open({
    path: join(home.logDir, "autopilotd.log"),
    // Small, and it explains a full disk, so it has no limit of free space.
    limits: () => ({ maxBytes: 10 * megabyte, files: 5, minFreeBytes: 0 }),
    maxPendingBytes: 4 * megabyte,
    onTrouble: (reason) =>
      Effect.sync(() =>
        reason === undefined
          ? own.log("info", lineOf("info", undefined, "The daemon's log is writable again"))
          : own.log("error", lineOf("error", undefined, `The daemon's log cannot be written: ${reason}`))
      ),
    onLost: (lines) =>
      Effect.sync(() =>
        own.log(
          "error",
          lineOf(
            "error",
            undefined,
            `The last ${lines} lines are not in the daemon's log: the disk was too slow`
          )
        )
      )
  })
  let lost = 0
  const waiting: Array<() => void> = []
  let isSettling = false
  const settle = (): void => {
    if (isSettling) return
    isSettling = true
    try {
      for (let act = waiting.shift(); act !== undefined; act = waiting.shift()) act()
    } finally {
      isSettling = false
    }
  }
  return DaemonLog.of({
    later: (act) => {
      if (waiting.push(act) === 1) timer.after(laterMs, settle)
    },
    settle,
    write: (level, project, text, at) => {
      settle()
      const line = lineOf(level, project, text, at)
      own.log(level, line)
      const note =
        lost === 0
          ? ""
          : lineOf("warning", undefined, `${lost} lines are missing here: the disk was too slow`)
      if (file.write(Buffer.from(note + line))) lost = 0
      else lost++
    }
  })
})

const levelOf = (level: LogLevel.LogLevel): Level =>
  LogLevel.greaterThanEqual(level, LogLevel.Error)
    ? "error"
    : LogLevel.greaterThanEqual(level, LogLevel.Warning)
      ? "warning"
      : "info"

/** Writes `Effect.log` messages of the daemon, with the full cause of a bug. */
const asLogger = (log: Context.Tag.Service<DaemonLog>) =>
  Logger.make(({ cause, logLevel, message }) => {
    const parts = (Array.isArray(message) ? message : [message]).map((part) =>
      Inspectable.toStringUnknown(part, 0)
    )
    const trace = Cause.isEmpty(cause) ? [] : [Cause.pretty(cause, { renderErrorCause: true })]
    log.write(levelOf(logLevel), undefined, [...parts, ...trace].join(" "))
  })

export const layer: Layer.Layer<DaemonLog, never, AutopilotHome | OwnOutput | RotatingFiles> = Layer.scoped(
  DaemonLog,
  Effect.tap(make, (log) =>
    Effect.locallyScopedWith(FiberRef.currentLoggers, (loggers) =>
      HashSet.add(HashSet.remove(loggers, Logger.defaultLogger), asLogger(log))
    )
  )
)
