import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { exitCodes } from "../../Domain/cli/ExitCodes.ts"
import { answerText } from "../../Domain/json/JsonAnswer.ts"
import { type TwinKeys, withTwins } from "../../Domain/json/Twins.ts"
import { harmlessText, jsonText } from "../../Domain/text/Printable.ts"
import { autopilotFolder, logsBelow } from "../../Layers/daemon/HomeFolder.ts"
import { exitProcess } from "../../Layers/daemon/ProcessExit.ts"
import { errorText, written } from "../../Layers/output/PlainOutput.ts"
import { showsColour } from "../../Layers/output/TerminalColour.ts"
import { answerOfFailure, exitCodeOfFailure, sentenceOfFailure } from "../Failure.ts"
import { showLogs } from "./Logs.ts"

/** The build makes it from the schemas of all answers. */
declare const AUTOPILOTD_TWIN_KEYS: TwinKeys

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
  const err = (text: string) => written(process.stderr, errorText(text))
  const failure = await showLogs(invocation, {
    logDir: logsBelow(root),
    isTerminal: process.stdout.isTTY,
    colour: showsColour(),
    write: (bytes) => written(process.stdout, bytes),
    err,
    jsonLine: (line) => `${jsonText(withTwins(line, AUTOPILOTD_TWIN_KEYS))}\n`
  })
  if (failure === undefined) return exitCodes.done
  const answer = invocation.options.json === true ? answerOfFailure(failure) : undefined
  await (answer === undefined
    ? err(sentenceOfFailure(failure))
    : written(process.stdout, harmlessText(answerText(answer, AUTOPILOTD_TWIN_KEYS, invocation.verb))))
  return exitCodeOfFailure(failure)
}
