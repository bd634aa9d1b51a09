import { counted, humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"

/** MAX_ARG_STRLEN: the bytes of one argument or variable, its final NUL included, where a page has 4 KiB. */
const oneLimit = 128 * 1024

/** Where a text of a start comes from. */
interface Part {
  /** `argument 2`, `the variable PROMPT`. */
  readonly name: string
  readonly text: string
}

type Environment = Readonly<Record<string, string>>

const partsOf = (argv: ReadonlyArray<string>, env: Environment): ReadonlyArray<Part> => [
  ...argv.map((text, n) => ({ name: n === 0 ? "the program's name" : `argument ${n}`, text })),
  ...Object.entries(env).map(([name, value]) => ({
    name: `the variable ${printable(name, 80)}`,
    text: `${name}=${value}`
  }))
]

const bytesOf = (text: string): number => new TextEncoder().encode(text).length + 1

/** Explains E2BIG: a clause about the largest text of a start, without its value, which may be a secret. */
export const tooLarge = (argv: ReadonlyArray<string>, env: Environment): string => {
  const sizes = partsOf(argv, env).map(({ name, text }) => ({ name, bytes: bytesOf(text) }))
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  const [largest] = sizes.toSorted((one, other) => other.bytes - one.bytes)
  const what = largest === undefined ? "" : `${largest.name} has ${humanBytes(largest.bytes)}`
  return largest !== undefined && largest.bytes > oneLimit
    ? `${what}, and Linux takes at most ${humanBytes(oneLimit)} in one. Put the text into a file, and name the file`
    : `its arguments and its environment have ${humanBytes(total)}, more than Linux takes (a quarter of ulimit -s); ${what}. Make them smaller, or raise ulimit -s`
}

/** Names the argument or variable with a NUL character, which no program can receive. Undefined without one. */
export const nulIn = (argv: ReadonlyArray<string>, env: Environment): string | undefined => {
  const found = partsOf(argv, env).find(({ text }) => text.includes("\0"))
  return found && `${found.name} holds a NUL character, which no program can receive. Remove it`
}

/** The descriptors that the daemon holds for a worker: its three standard streams and its log. */
const filesOfWorker = 4

/** What the daemon needs besides: for itself, and a quarter of the limit, at most 256, for clients. */
const filesOfDaemon = (limit: number): number => 32 + Math.min(256, Math.floor(limit / 4))

/**
 * Why a worker more may not be started; undefined where it may. A daemon without a free descriptor cannot read /proc: it could
 * neither answer nor end its workers. `limit` is that of open files, NaN where there is none; `running` counts the workers.
 */
export const tooManyFiles = (limit: number, running: number): string | undefined =>
  filesOfDaemon(limit) + (running + 1) * filesOfWorker > limit
    ? `the daemon may open ${limit} files, too few for ${counted(running + 1, "worker")}. Raise the limit (ulimit -n, LimitNOFILE= of the unit) and start the daemon again${running > 0 ? ", or stop other workers" : ""}`
    : undefined
