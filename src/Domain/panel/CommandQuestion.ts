import type { SettingsChanges } from "../config/SettingsData.ts"
import { appliedAtStart } from "../settings/SettingKeys.ts"
import { printable } from "../text/Printable.ts"
import { listed } from "../text/TextLayout.ts"

/** What a person is asked before a text is saved that changes what runs. */
export interface CommandQuestion {
  readonly question: string
  /** Several lines. */
  readonly consequence: string
}

/** A command is shown whole, up to what no person would read. */
const maxValueLength = 2000

const named = (names: ReadonlyArray<string>): string => listed(names.map((name) => printable(name, 64)))

const shown = (value: string | undefined): string =>
  value === undefined ? "not set" : printable(value, maxValueLength)

/** `worker_command.argv` and `projects.shop.worker_command.argv` say what runs; `restart.jitter` does not. */
const isOfCommand = (key: string): boolean => appliedAtStart.some((name) => `.${key}.`.includes(`.${name}.`))

/**
 * The question before a save: who can write this file can run any command as its user, so the commands are shown as
 * they were and as they will be. Undefined where nothing else runs afterwards.
 */
export const commandQuestion = (changes: SettingsChanges): CommandQuestion | undefined => {
  const { changes_command: executed, projects_added: added, projects_removed: removed } = changes
  if (executed.length + removed.length === 0) return undefined
  const lines = changes.changes
    .filter(({ key }) => isOfCommand(key))
    .flatMap(({ from, key, to }) => [
      printable(key),
      ...(from === undefined && to === undefined
        ? ["  changes; its values are not shown"]
        : [`  now:  ${shown(from)}`, `  then: ${shown(to)}`])
    ])
  return {
    question:
      executed.length === 0
        ? `Stop and remove ${named(removed)}?`
        : `Change what is run for ${named(executed)}?`,
    consequence: [
      ...(executed.length === 0 ? [] : ["The daemon will run this as you:", "", ...lines]),
      ...(added.length === 0
        ? []
        : ["", `New: ${named(added)}, with the settings of the top level where it sets none.`]),
      ...(removed.length === 0 ? [] : ["", `The workers of ${named(removed)} are stopped and not restarted.`])
    ]
      .join("\n")
      .trim()
  }
}
