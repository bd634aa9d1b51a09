import type { Shell } from "../Domain/CommandLine.ts"
import { groups, verbs } from "../Domain/CommandTable.ts"
import { optionTable } from "../Domain/OptionTable.ts"

/** Options that @effect/cli puts into every script and that `parse` does not have. */
const foreign = ["log-level", "wizard"]

/**
 * How bash's script should recognise each command, by how it does: it asks for the name of a variable instead of
 * the word that is typed (`start__worker`), and for commands of two words it forgets what it called the first.
 */
const bashLabels: ReadonlyMap<string, string> = new Map(
  [...verbs, ...groups].map((name) => {
    const words = ["autopilotd", ...name.split(" ")]
    const variables = words.map((word) => word.replaceAll("-", "__"))
    return [variables.join(","), `${variables.slice(0, -1).join("__")},${words.slice(-1).join("")}`]
  })
)

const mendBash = (line: string): string => {
  const label = /^(\s*)(autopilotd,\S+)\)$/.exec(line)
  if (label !== null) return `${label[1] ?? ""}${bashLabels.get(label[2] ?? "") ?? label[2] ?? ""})`
  if (!line.trimStart().startsWith('opts="')) return line
  return foreign.reduce((words, name) => words.replace(` --${name}`, ""), line)
}

/** What marks an option of zsh as one with a value, for those of which the script says nothing about the value. */
const zshValues: ReadonlyArray<readonly [start: string, value: string]> = Object.values(optionTable).flatMap(
  (row) =>
    row._tag === "Valued" && row.value.completes === undefined
      ? [`--${row.long}`, ...("short" in row ? [`-${row.short}`] : [])].map(
          (name) => [`'${name}[`, `:${row.placeholder}: `] as const
        )
      : []
)

const mendZsh = (line: string): string => {
  const value = zshValues.find(([start]) => line.trimStart().startsWith(start))
  return value === undefined ? line : line.replace(/\]' \\$/, `]${value[1]}' \\`)
}

/** A completion script of @effect/cli without what `parse` refuses, and with its mistakes mended. */
export const mendedCompletions = (shell: Shell, script: string): string => {
  const known = script
    .split("\n")
    .filter((line) => !foreign.some((name) => line.includes(`'--${name}[`) || line.includes(` -l ${name} `)))
  if (shell === "zsh") return known.map(mendZsh).join("\n")
  return shell === "fish" ? known.join("\n") : known.map(mendBash).join("\n")
}
