import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { parse } from "../Domain/cli/CommandLine.ts"
import { exitCodes } from "../Domain/cli/ExitCodes.ts"
import { keepingInterruptions } from "../Layers/concurrency/KeptInterruptions.ts"
import { EarlierExchanges } from "../Layers/control/ControlClient.ts"
import type { Exchanged } from "../Layers/control/Exchange.ts"
import * as AutopilotHome from "../Layers/daemon/AutopilotHome.ts"
import * as Caller from "../Layers/daemon/Caller.ts"
import { keepOwnersModes } from "../Layers/daemon/FileModes.ts"
import { exitProcess } from "../Layers/daemon/ProcessExit.ts"
import * as Signals from "../Layers/daemon/Signals.ts"
import * as CommandOutput from "../Layers/output/CommandOutput.ts"
import { commandRun } from "./cli/CommandRun.ts"

/** The layers that every command may use, beside its output. */
const surroundings = Layer.merge(AutopilotHome.layer, Caller.layer)

/**
 * Runs a command line other than that of the daemon, and exits. `earlier` are the exchanges with the daemon that a quick command
 * has had already; `atEnd` is called after a command, and never rejects.
 */
export const run = (
  argv: ReadonlyArray<string>,
  earlier: ReadonlyArray<Exchanged>,
  atEnd = async (): Promise<void> => undefined
): void => {
  const line = parse(argv)
  const verb = line._tag === "Run" ? line.invocation.verb : undefined
  /** A signal is how it is stopped, so that it exits with success. */
  const isServer = verb === "gui" || verb === "relay"

  keepOwnersModes()

  const program = commandRun({ argv, line, surroundings }).pipe(
    Effect.provide(isServer ? Signals.listenForSignals() : Signals.layerNone),
    Effect.provide(CommandOutput.layer),
    Effect.provideService(EarlierExchanges, [...earlier]),
    keepingInterruptions
  )

  if (isServer) {
    // runMain removes its listeners at the first signal; a server needs them until it exits.
    Effect.runFork(program).addObserver((exit) => exitProcess(Exit.getOrElse(exit, () => exitCodes.failed)))
  } else {
    NodeRuntime.runMain(Effect.zipLeft(program, Effect.promise(atEnd)), {
      disableErrorReporting: true,
      // Exits even if a library still holds a handle open.
      teardown: (exit) =>
        exitProcess(
          Exit.isSuccess(exit)
            ? Number(exit.value)
            : Exit.isInterrupted(exit)
              ? exitCodes.interrupted
              : exitCodes.failed
        )
    })
  }
}
