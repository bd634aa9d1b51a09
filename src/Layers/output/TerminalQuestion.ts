import { isTerminal } from "./TerminalColour.ts"

/** A person sits at a terminal, so that a command can ask. */
export const canAsk = (): boolean => isTerminal() && process.stdin.isTTY

/** Asks a person at the terminal. Everything but yes, also the end of the input, means no. */
export const confirmed = (question: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { stdin, stdout } = process
    const done = (text: string) => {
      stdin.removeAllListeners("data")
      stdin.pause()
      resolve(/^\s*y(es)?\s*$/i.test(text))
    }
    stdin.once("data", (bytes) => done(String(bytes)))
    stdin.once("end", () => done(""))
    stdin.once("error", () => done(""))
    stdout.write(question)
  })
