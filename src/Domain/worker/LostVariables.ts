import { counted } from "../text/Amounts.ts"
import { printable, quoted } from "../text/Printable.ts"
import { isForDaemon } from "./WorkerEnvironment.ts"

/** The names of variables that a worker does not get as the caller set them. */
export interface LostVariables {
  /** Their names are no names for a shell, and a shell starts the worker. */
  readonly dropped: ReadonlyArray<string>
  /** Their values are not UTF-8. */
  readonly changed: ReadonlyArray<string>
}

/** Whether a shell takes this as the name of a variable. */
export const isVariableName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)

const shown = 8

const named = (names: ReadonlyArray<string>): string => {
  const more = names.length > shown ? ` and ${names.length - shown} more` : ""
  return `${counted(names.length, "variable")} (${printable(names.slice(0, shown).join(", "), 400)}${more})`
}

/** Node reads this for bytes that are not UTF-8. */
const replacement = "\uFFFD"

/** Sentences without a full stop about what a worker loses. `set` are the names that the env file or the settings set. */
export const lossWarnings = (
  { changed, dropped }: LostVariables,
  set: Readonly<Record<string, string>>,
  argv: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const missed = (names: ReadonlyArray<string>) =>
    [...new Set(names)].filter((name) => !isForDaemon(name) && set[name] === undefined)
  const [lost, mangled] = [missed(dropped), missed(changed)]
  const changedArgument = argv.find((argument) => argument.includes(replacement))
  return [
    ...(changedArgument === undefined
      ? []
      : [
          `The worker does not get the argument ${quoted(changedArgument)} as it was given: it is not UTF-8. Rename the file, or put the text into one`
        ]),
    ...(lost.length === 0
      ? []
      : [
          `The worker does not get ${named(lost)} of the daemon's environment: a shell drops names with other characters than letters, digits and _. Set them in the command: env NAME=VALUE CMD`
        ]),
    ...(mangled.length === 0
      ? []
      : [
          `The worker does not get ${named(mangled)} of the daemon's environment unchanged: the value is not UTF-8. Set it in UTF-8, or in a script that starts the agent`
        ])
  ]
}
