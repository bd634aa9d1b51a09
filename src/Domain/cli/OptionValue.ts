import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import { parseKeyPath } from "../toml/KeyPath.ts"
import { isSinceTime, sinceExpects } from "./SinceTime.ts"

/** How the text after an option, or in the place of an argument, becomes its value. */
export interface OptionValue<A> {
  /** Completes the sentence "--name expects ..." or "NAME expects ...". */
  readonly expects: string
  /** Undefined when the text is not such a value. */
  readonly decode: (text: string) => A | undefined
  /** Whether a text that begins with `-` may be meant as a value, so that its error is about the number. */
  readonly numeric: boolean
  /** What a shell completes the value with. */
  readonly completes: "directory" | "file" | "setting" | ReadonlyArray<string> | undefined
}

/** Any text but the empty one. `expects` says what it stands for. */
export const text = (expects: string, completes?: "directory" | "file"): OptionValue<string> => ({
  expects,
  decode: (given) => (given === "" ? undefined : given),
  numeric: false,
  completes
})

/** One of a few words. */
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

/** A time in the past, as it is written: which one it means depends on the clock, and is found by `sinceMs`. */
export const pastTime: OptionValue<string> = {
  expects: sinceExpects,
  decode: (given) => (isSinceTime(given) ? given : undefined),
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

const decodeProject = Schema.decodeEither(ProjectName)

/** The name of a project. */
export const project: OptionValue<ProjectName> = {
  expects:
    "a name of 1 to 64 letters, digits, '.', '_' or '-' that begins with a letter or a digit (autopilotd.log is taken)",
  decode: (given) => Either.getOrUndefined(decodeProject(given)),
  numeric: false,
  completes: undefined
}

/** The name of a setting, as it is written: it is a text that can be read as a path. */
export const settingKey: OptionValue<string> = {
  expects: "the name of a setting with the tables it stands in, as in restart.jitter",
  decode: (given) => (Either.isRight(parseKeyPath(given)) ? given : undefined),
  numeric: false,
  completes: "setting"
}

/** Any text, also the empty one and a number below zero: what it may be is the setting's business. */
export const settingValue: OptionValue<string> = {
  expects: "a value",
  decode: (given) => given,
  numeric: true,
  completes: undefined
}
