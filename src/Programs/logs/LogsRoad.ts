import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { exitCodes } from "../../Domain/cli/ExitCodes.ts"
import { autopilotFolder, logsBelow } from "../../Layers/daemon/HomeFolder.ts"
import { exitProcess } from "../../Layers/daemon/ProcessExit.ts"
import { printed, reported } from "../../Layers/output/PlainOutput.ts"
import { isTerminal, showsColour } from "../../Layers/output/TerminalColour.ts"
import { failed } from "../cli/Conclusion.ts"
import { showLogs } from "./Logs.ts"

/**
 * Runs `logs` without the whole program, in a bundle of its own, and returns its exit code; undefined where only the whole
 * program knows what is wrong.
 */
export const runLogs = async (invocation: Invocation): Promise<number | undefined> => {
  const root = autopilotFolder()
  // The whole program checks that --config names a file.
  if (root === undefined || invocation.options.config !== undefined) return undefined
  if (invocation.options.follow === true)
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => exitProcess(exitCodes.interrupted))
  const failure = await showLogs(invocation, {
    logDir: logsBelow(root),
    isTerminal: isTerminal(),
    colour: showsColour(),
    write: printed,
    err: reported
  })
  return failure === undefined ? exitCodes.done : failed(failure, invocation)
}
