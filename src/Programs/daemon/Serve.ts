import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as RuntimeFlagsPatch from "effect/RuntimeFlagsPatch"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { exitCodes } from "../../Domain/cli/ExitCodes.ts"
import * as AutopilotHome from "../../Layers/daemon/AutopilotHome.ts"
import * as Caller from "../../Layers/daemon/Caller.ts"
import { keepOwnersModes } from "../../Layers/daemon/FileModes.ts"
import { closeInheritedDescriptors } from "../../Layers/daemon/InheritedDescriptors.ts"
import { exitProcess } from "../../Layers/daemon/ProcessExit.ts"
import * as Signals from "../../Layers/daemon/Signals.ts"
import * as CommandOutput from "../../Layers/output/CommandOutput.ts"
import { exitCodeOfCommand } from "../cli/CommandEnd.ts"
import { provideInTurn } from "../InTurn.ts"
import { startsNothing } from "./Idle.ts"
import { start } from "./Start.ts"

/** Whether `autopilotd` alone has nothing to start: then it shows its help, as a user without settings expects. */
const startOrHelp = Effect.fnUntraced(function* (argv: ReadonlyArray<string>, invocation: Invocation) {
  if (argv.length > 0 || !(yield* startsNothing(invocation))) return yield* start(invocation)
  const { out } = yield* CommandOutput.CommandOutput
  const bundle = `${import.meta.dirname}/help.js`
  const { helpText }: typeof import("../../Domain/cli/Help.ts") = yield* Effect.promise(() => import(bundle))
  yield* out(helpText())
})

/** Runs the daemon in the foreground, and exits. Its bundle is its own: it stays in memory all night. */
export const serve = (argv: ReadonlyArray<string>, invocation: Invocation): void => {
  keepOwnersModes()
  closeInheritedDescriptors()
  // A signal without a listener would end the daemon and orphan its worker, so the listeners come first.
  const signals = Signals.listenForSignals()
  const command = provideInTurn(AutopilotHome.layer, Caller.layer)(startOrHelp(argv, invocation))
  const program = exitCodeOfCommand(command, { argv, verb: invocation.verb }).pipe(
    provideInTurn(CommandOutput.layer, signals),
    // Effect's own metrics have no reader, and each fiber would update them at its start and its end.
    Effect.withRuntimeFlagsPatch(RuntimeFlagsPatch.disable(RuntimeFlags.RuntimeMetrics))
  )
  // runMain removes its listeners at the first signal; the daemon needs them until it exits.
  Effect.runFork(program).addObserver((exit) => exitProcess(Exit.getOrElse(exit, () => exitCodes.failed)))
}
