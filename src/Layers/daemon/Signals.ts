import { readFileSync } from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeInbox } from "../concurrency/Inbox.ts"

export type SignalEvent =
  | { readonly _tag: "Signal"; readonly name: NodeJS.Signals }
  | { readonly _tag: "TerminalClosed" }

/** The signals to the daemon. */
export class Signals extends Context.Tag("Signals")<
  Signals,
  { readonly next: Effect.Effect<SignalEvent> }
>() {}

/** The signals that stop the daemon cleanly. Their default action would kill it and orphan its workers. */
const stopping: ReadonlyArray<NodeJS.Signals> = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR2",
  "SIGALRM",
  "SIGPWR",
  "SIGXCPU",
  "SIGIO",
  "SIGVTALRM",
  "SIGPROF",
  "SIGSTKFLT"
]

/**
 * One Ctrl-C may arrive twice, from the terminal and from npm: repeats within this time are ignored. npm is a program that
 * waits for a core on a busy machine; a user who means the second one repeats it.
 */
const echoMs = 500

/** Whether the process has a controlling terminal: field 7 of stat is not 0. */
const hasTerminal = (): boolean => {
  try {
    const text = readFileSync("/proc/self/stat", "latin1")
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[4] !== "0"
  } catch {
    return false
  }
}

/**
 * Listens from this call on, for ever: without a listener a second signal would kill the daemon and orphan its workers.
 * Call it before anything is started.
 *
 * SIGHUP of a closed terminal does not stop the daemon, nor does any under nohup, which the launcher passes on because
 * Node undoes it before any code of autopilotd runs.
 */
export const listenForSignals = (clockMs = () => performance.now()): Layer.Layer<Signals> => {
  const hadTerminal = hasTerminal()
  const ignoresHangup = process.env["AUTOPILOTD_NOHUP"] !== undefined
  const events = makeInbox<SignalEvent>()
  const lastMs = new Map<NodeJS.Signals, number>()
  for (const name of stopping) {
    process.on(name, () => {
      const nowMs = clockMs()
      const isEcho = nowMs - (lastMs.get(name) ?? Number.NEGATIVE_INFINITY) < echoMs
      // Measured from the last signal that counted, so that a signal repeated quickly counts at last.
      if (!isEcho) lastMs.set(name, nowMs)
      if (isEcho || (name === "SIGHUP" && ignoresHangup)) return
      events.add(
        name === "SIGHUP" && hadTerminal && !hasTerminal()
          ? { _tag: "TerminalClosed" }
          : { _tag: "Signal", name }
      )
    })
  }
  return Layer.succeed(Signals, { next: events.take })
}

/** No signals: for commands, which a signal may kill. */
export const layerNone: Layer.Layer<Signals> = Layer.succeed(Signals, { next: Effect.never })
