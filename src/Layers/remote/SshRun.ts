import type { StdioOptions } from "node:child_process"
import { LineSearch } from "../../Domain/control/DialMarker.ts"
import { withoutNoise } from "../../Domain/remote/SshNoise.ts"
import { type NotSpawned, spawnProgram } from "../files/ProgramSpawn.ts"

/** How an ssh ended. */
interface SshRan {
  readonly _tag: "Ran"
  /** 255 after a signal, too. */
  readonly code: number
  /** The last of its standard error. */
  readonly stderr: string
  /** The exit code for a signal that has ended this command, or for a reader that has gone; undefined without one. */
  readonly interrupted: number | undefined
  /** The first line that came instead of the one with which a command begins; undefined when that has come, or none was awaited. */
  readonly instead: string | undefined
}

interface SshRunOptions {
  /** Its standard input: the terminal, none, or a pipe that stays open as long as this process lives. */
  readonly input: "terminal" | "none" | "lifeline"
  /** The line before the output of the command: what comes earlier is dropped. Undefined on a terminal. */
  readonly beginLine: string | undefined
  /** Standard error is kept back until the end, where the caller decides what is shown. */
  readonly keepsErrors: boolean
}

const mostBytes = 65_536
const lastWordsMs = 200

const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
const signalNames = ["SIGHUP", "SIGINT", "SIGTERM"] as const

const streams = ({ beginLine, input }: SshRunOptions): StdioOptions => [
  input === "terminal" ? "inherit" : input === "none" ? "ignore" : "pipe",
  beginLine === undefined ? "inherit" : "pipe",
  "pipe"
]

/** Passes bytes on from the begin line on. `instead` is the first line of what came while it has not come. */
const behindBegin = (line: string, pass: (bytes: Uint8Array) => void) => {
  const search = new LineSearch(line)
  let state: ReturnType<LineSearch["feed"]> = { _tag: "Searching" }
  return {
    take: (bytes: Buffer) => {
      if (state._tag === "Found") return pass(bytes)
      if (state._tag === "Missing") return
      state = search.feed(bytes)
      if (state._tag === "Found") pass(state.rest)
    },
    instead: () => (state._tag === "Found" ? undefined : search.end().noise)
  }
}

/**
 * Runs an ssh for a user, in the foreground of the terminal: it may ask for a passphrase there. Of its standard error the
 * lines that mean nothing are dropped. A signal is passed on, and a reader that goes ends it.
 */
export const runSsh = (argv: ReadonlyArray<string>, options: SshRunOptions): Promise<SshRan | NotSpawned> =>
  new Promise((resolve) => {
    const { beginLine, keepsErrors } = options
    let stderr = ""
    let rest = ""
    let interrupted: number | undefined
    const show = (text: string) => {
      stderr = `${stderr}${text}`.slice(-mostBytes)
      if (!keepsErrors && text !== "") process.stderr.write(text)
    }
    const output =
      beginLine === undefined
        ? undefined
        : behindBegin(beginLine, (bytes) => {
            if (bytes.length > 0) process.stdout.write(bytes)
          })
    // A reader of standard error that is gone is no error.
    process.stderr.on("error", () => undefined)
    spawnProgram(
      (spawn) => spawn("ssh", argv, { stdio: streams(options) }),
      (child) => {
        child.stdin?.on("error", () => undefined)
        if (output !== undefined) {
          child.stdout?.on("data", output.take)
          process.stdout.on("error", () => {
            interrupted ??= 0
            child.kill("SIGTERM")
          })
        }
        child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
          const next = withoutNoise(rest, chunk)
          rest = next.rest
          show(next.shown)
        })
        for (const name of signalNames)
          process.on(name, () => {
            interrupted ??= signals[name]
            child.kill(name)
          })
        const end = (code: number | null) => {
          show(rest)
          rest = ""
          resolve({ _tag: "Ran", code: code ?? 255, stderr, interrupted, instead: output?.instead() })
        }
        child.once("close", end)
        // A shared connection that stays in the background may keep standard error open.
        child.once("exit", (code) => void setTimeout(() => end(code), lastWordsMs))
      },
      (outcome) => {
        if ("_tag" in outcome) resolve(outcome)
      }
    )
  })
