import type { ProjectName } from "../Project.ts"
import { isProjectName } from "../ProjectNameRules.ts"
import { searchPattern } from "../text/SearchPattern.ts"
import { parseKeyPath } from "../toml/KeyPath.ts"
import { durationMs, isSinceTime, sinceExpects } from "./SinceTime.ts"

/** The decoder of the value of an option or argument. */
export interface OptionValue<A> {
  /** Completes the sentence "--name expects ..." or "NAME expects ...". */
  readonly expects: string
  /** Undefined for an invalid text. */
  readonly decode: (text: string) => A | undefined
  /** True if a text such as `-5` is an invalid number rather than the next option. */
  readonly numeric: boolean
  /** Completions in a shell. */
  readonly completes: "directory" | "file" | "host" | "setting" | ReadonlyArray<string> | undefined
}

/** Any text that is not empty. */
export const text = (expects: string, completes?: "directory" | "file"): OptionValue<string> => ({
  expects,
  decode: (given) => (given === "" ? undefined : given),
  numeric: false,
  completes
})

/** One of some words. */
export const oneOf = <const A extends string>(words: ReadonlyArray<A>): OptionValue<A> => ({
  expects: `one of ${words.join(", ")}`,
  decode: (given) => words.find((word) => word === given),
  numeric: false,
  completes: words
})

/** A whole number of at least 1 that a double holds exactly, in decimal digits. */
export const wholeNumber: OptionValue<number> = {
  expects: "a whole number of at least 1",
  decode: (given) => {
    const value = /^\d+$/.test(given) ? Number(given) : 0
    return value >= 1 && Number.isSafeInteger(value) ? value : undefined
  },
  numeric: true,
  completes: undefined
}

/** A whole number of at least 0 that a double holds exactly, in decimal digits. */
export const count: OptionValue<number> = {
  expects: "a whole number of at least 0",
  decode: (given) => {
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN
    return Number.isSafeInteger(value) ? value : undefined
  },
  numeric: true,
  completes: undefined
}

/** A TCP port; 0 stands for any free one. */
export const port: OptionValue<number> = {
  expects: "a port of 127.0.0.1 from 0 to 65535",
  decode: (given) => {
    const value = count.decode(given)
    return value !== undefined && value <= 65_535 ? value : undefined
  },
  numeric: true,
  completes: undefined
}

/** A time in the past as written. `sinceMs` resolves it with the clock. */
export const pastTime: OptionValue<string> = {
  expects: sinceExpects,
  decode: (given) => (isSinceTime(given) ? given : undefined),
  numeric: false,
  completes: undefined
}

/** A duration as written. `durationMs` resolves it. */
export const duration: OptionValue<string> = {
  expects: "a time such as 90s, 30m, 8h or 1h30m",
  decode: (given) => (durationMs(given) === undefined ? undefined : given),
  numeric: false,
  completes: undefined
}

/** A machine as a user names it; empty for this one. What connects to it says why it cannot be used. */
export const host: OptionValue<string> = {
  expects:
    "a host: a name of hosts.toml, user@host, ssh://[user@]host[:port][/home], or local for this machine",
  decode: (given) => given,
  numeric: false,
  completes: "host"
}

/** A regular expression as written. `searchPattern` compiles it. */
export const pattern: OptionValue<string> = {
  expects: String.raw`a regular expression, in which \( is a bracket of the text`,
  decode: (given) => (given !== "" && searchPattern(given) !== undefined ? given : undefined),
  numeric: false,
  completes: undefined
}

/** A finite number of at least 0: `300`, `12.5`, `1e3`. */
export const amount: OptionValue<number> = {
  expects: "a number of at least 0",
  decode: (given) => {
    const value = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given) ? Number(given) : Number.NaN
    return Number.isFinite(value) ? value : undefined
  },
  numeric: true,
  completes: undefined
}

/** The name of a project. */
export const project: OptionValue<ProjectName> = {
  expects:
    "a name of 1 to 64 letters, digits, '.', '_' or '-' that begins with a letter or a digit (autopilotd.log is taken)",
  decode: (given) => (isProjectName(given) ? given : undefined),
  numeric: false,
  completes: undefined
}

/** The name of a setting as written, a valid key path. */
export const settingKey: OptionValue<string> = {
  expects: "the name of a setting with the tables it stands in, as in restart.jitter",
  decode: (given) => (typeof parseKeyPath(given) === "string" ? undefined : given),
  numeric: false,
  completes: "setting"
}

/** Any text, including the empty one and negative numbers. The schema of the setting checks it. */
export const settingValue: OptionValue<string> = {
  expects: "a value",
  decode: (given) => given,
  numeric: true,
  completes: undefined
}
