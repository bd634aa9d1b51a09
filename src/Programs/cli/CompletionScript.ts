import { type ArgumentKey, argumentRow } from "../../Domain/cli/ArgumentTable.ts"
import type { Shell } from "../../Domain/cli/CommandLine.ts"
import { argumentsOf, groups, verbs } from "../../Domain/cli/CommandTable.ts"
import { optionTable } from "../../Domain/cli/OptionTable.ts"
import { settingKeys } from "../../Domain/settings/SettingKeys.ts"

/** Options that @effect/cli adds to every script and that `parse` does not know. */
const foreign = ["log-level", "wizard"]

/**
 * The labels of the bash script, wrong to right. The script of @effect/cli compares the typed word with a variable name
 * (`start__worker`), and for commands of two words with the wrong name of the first.
 */
const bashLabels: ReadonlyMap<string, string> = new Map(
  [...verbs, ...groups].map((name) => {
    const words = ["autopilotd", ...name.split(" ")]
    const variables = words.map((word) => word.replaceAll("-", "__"))
    return [variables.join(","), `${variables.slice(0, -1).join("__")},${words.slice(-1).join("")}`]
  })
)

/** The completions of an argument, for which @effect/cli offers nothing. */
const offers = (key: ArgumentKey): string => {
  const { completes } = argumentRow(key).value
  return completes === "setting" ? settingKeys.map((setting) => setting.key).join(" ") : ""
}

/** The completions of the arguments for bash, by the label of the command in its script. */
const bashOffers: ReadonlyMap<string, string> = new Map(
  verbs.map((verb) => [
    `autopilotd__${verb.replaceAll("-", "__").replaceAll(" ", "__")})`,
    argumentsOf(verb)
      .map(offers)
      .filter((words) => words !== "")
      .map((words) => ` ${words}`)
      .join("")
  ])
)

const afterFlag = 'COMPREPLY=( "${cur}" )'
const anyWord = 'COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )'

const fixBash = (line: string, at: number, lines: ReadonlyArray<string>): string => {
  const label = /^(\s*)(autopilotd,\S+)\)$/.exec(line)
  if (label !== null) return `${label[1] ?? ""}${bashLabels.get(label[2] ?? "") ?? label[2] ?? ""})`
  // The script takes the word after a flag for the flag's value.
  if (line.trim() === afterFlag) return line.replace(afterFlag, anyWord)
  if (!line.trimStart().startsWith('opts="')) return line
  const own = foreign.reduce((words, name) => words.replace(` --${name}`, ""), line)
  return own.replace(/"$/, `${bashOffers.get(lines[at - 1]?.trim() ?? "") ?? ""}"`)
}

/** The options with a value that the zsh script marks as flags, and the missing mark. */
const zshValues: ReadonlyArray<readonly [start: string, value: string]> = Object.values(optionTable).flatMap(
  (row) =>
    row._tag === "Valued" && row.value.completes === undefined
      ? [`--${row.long}`, ...("short" in row ? [`-${row.short}`] : [])].map(
          (name) => [`'${name}[`, `:${row.placeholder}: `] as const
        )
      : []
)

/** The arguments for zsh by the last word of their command, which is its label in the script. */
const zshArguments: ReadonlyMap<string, ReadonlyArray<string>> = new Map(
  verbs.map((verb) => [
    `(${verb.split(" ").slice(-1).join("")})`,
    argumentsOf(verb).map((key) => {
      const words = offers(key)
      return `':${argumentRow(key).placeholder}:${words === "" ? " " : `(${words})`}' \\`
    })
  ])
)

/** Adds the arguments of each command as the last ones of `_arguments`. */
const withZshArguments = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  let command = ""
  return lines.flatMap((line) => {
    const text = line.trim()
    if (/^\(\S+\)$/.test(text)) command = text
    if (text !== "&& ret=0") return [line]
    const indent = line.slice(0, line.indexOf("&"))
    return [...(zshArguments.get(command) ?? []).map((argument) => indent + argument), line]
  })
}

/** The description of an argument in the fish script, and its replacement with completions. */
const fishArguments: ReadonlyArray<readonly [end: string, offering: string]> = verbs
  .flatMap(argumentsOf)
  .filter((key) => offers(key) !== "")
  .map((key) => {
    const { summary } = argumentRow(key)
    return [` -r -f -d '${summary}'`, ` -f -a "${offers(key)}" -d '${summary}'`] as const
  })

const fixFish = (line: string): string => {
  const argument = fishArguments.find(([end]) => line.endsWith(`"${end}`))
  return argument === undefined ? line : line.slice(0, line.length - argument[0].length) + argument[1]
}

const fixZsh = (line: string): string => {
  const value = zshValues.find(([start]) => line.trimStart().startsWith(start))
  return value === undefined ? line : line.replace(/\]' \\$/, `]${value[1]}' \\`)
}

/** A completion script of @effect/cli with its bugs fixed and without options that `parse` refuses. */
export const fixedCompletions = (shell: Shell, script: string): string => {
  const known = script
    .split("\n")
    .filter((line) => !foreign.some((name) => line.includes(`'--${name}[`) || line.includes(` -l ${name} `)))
  if (shell === "zsh") return withZshArguments(known.map(fixZsh)).join("\n")
  return known.map(shell === "fish" ? fixFish : fixBash).join("\n")
}
