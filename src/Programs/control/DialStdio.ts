import { exitCodeOf, exitCodes } from "../../Domain/cli/ExitCodes.ts"
import type { ErrorCode } from "../../Domain/control/ErrorCode.ts"
import { type Unanswered, unansweredText } from "../../Domain/control/Unanswered.ts"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { dialStdio } from "../../Layers/control/DialStdio.ts"
import { autopilotFolder, socketBelow } from "../../Layers/daemon/HomeFolder.ts"

const codes: Readonly<Record<Unanswered["_tag"], ErrorCode>> = {
  NotRunning: "no_daemon",
  AccessDenied: "access_denied",
  Timeout: "no_answer",
  Unclear: "bad_answer"
}

const complain = (message: string, exitCode: number): Promise<number> =>
  new Promise((resolve) => {
    process.stderr.on("error", () => resolve(exitCode))
    process.stderr.write(`autopilotd: ${harmlessText(message)}\n`, () => resolve(exitCode))
  })

/**
 * `autopilotd dial-stdio`, without Effect: its start counts in each remote request. Returns the exit code; undefined where
 * there is no home, for which the whole program has the words.
 */
export const run = async (isReadOnly: boolean): Promise<number | undefined> => {
  const root = autopilotFolder()
  if (root === undefined) return undefined
  const path = socketBelow(root)
  const unanswered = await dialStdio({ input: process.stdin, output: process.stdout }, path, isReadOnly)
  return unanswered === undefined
    ? exitCodes.done
    : complain(unansweredText(path, unanswered), exitCodeOf(codes[unanswered._tag]))
}
