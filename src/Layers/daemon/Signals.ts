import { readFileSync } from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"

export type SignalNews =
  | { readonly _tag: "Signal"; readonly name: NodeJS.Signals }
  | { readonly _tag: "TerminalClosed" }

/** What the outside tells the daemon by signal. */
export class Signals extends Context.Tag("Signals")<
  Signals,
  { readonly next: Effect.Effect<SignalNews> }
>() {}

/** All of these end the daemon cleanly. By default the kernel would end it at once and orphan the worker. */
const ending: ReadonlyArray<NodeJS.Signals> = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGALRM"]

/** One Ctrl-C may come twice, from the terminal and from npm: the same signal again this soon says nothing new. */
const echoMs = 50

/** Field 7 of stat: 0 when the process has no controlling terminal. */
const hasTerminal = (): boolean => {
  try {
    const text = readFileSync("/proc/self/stat", "latin1")
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[4] !== "0"
  } catch {
    return false
  }
}

/**
 * Listens from this call on, for ever: a listener that is removed would leave the signal to the kernel, and a second
 * one would kill the daemon with its worker running. Call it before anything is started.
 *
 * A hangup because the terminal went away is not a wish to end: the night's work goes on. Neither is one under nohup,
 * which the launcher reports because Node has undone it before any code of ours runs.
 */
export const listenForSignals = (): Layer.Layer<Signals> => {
  const hadTerminal = hasTerminal()
  const ignoresHangup = process.env["AUTOPILOTD_NOHUP"] !== undefined
  const early: Array<SignalNews> = []
  let tell = (news: SignalNews): void => void early.push(news)
  const lastMs = new Map<NodeJS.Signals, number>()
  for (const name of ending) {
    process.on(name, () => {
      const nowMs = performance.now()
      const isEcho = nowMs - (lastMs.get(name) ?? Number.NEGATIVE_INFINITY) < echoMs
      // The echo of an echo is none: whoever repeats a signal quickly must be heard at last.
      if (!isEcho) lastMs.set(name, nowMs)
      if (isEcho || (name === "SIGHUP" && ignoresHangup)) return
      tell(
        name === "SIGHUP" && hadTerminal && !hasTerminal()
          ? { _tag: "TerminalClosed" }
          : { _tag: "Signal", name }
      )
    })
  }
  return Layer.effect(
    Signals,
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<SignalNews>()
      tell = (news) => void mailbox.unsafeOffer(news)
      for (const news of early) mailbox.unsafeOffer(news)
      return { next: Effect.orDie(mailbox.take) }
    })
  )
}

/** Hears nothing: for commands, which a signal may end as it ends any program. */
export const layerNone: Layer.Layer<Signals> = Layer.succeed(Signals, { next: Effect.never })
