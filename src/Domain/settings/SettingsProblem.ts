import * as Data from "effect/Data"
import { printable } from "../text/Printable.ts"

/** One thing that is wrong with the settings, in the words of the place where it was set. */
export interface SettingsProblem {
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** The setting, variable or option, as it is written there. Absent when the file as a whole is meant. */
  readonly key?: string
  /** Continues a sentence that begins with the key, or with the place. */
  readonly reason: string
  /** The valid key that was most likely meant. */
  readonly nearest?: string
}

/** A problem as one line: `/home/u/.autopilot/daemon.toml:7: restart.max_backof_ms is not a setting. Did you mean ...?` */
export const renderProblem = (problem: SettingsProblem): string => {
  const line = problem.line === undefined ? "" : `:${problem.line}`
  const place = problem.file === undefined ? "" : `${problem.file}${line}: `
  const subject = problem.key === undefined ? "" : `${problem.key} `
  const hint = problem.nearest === undefined ? "" : ` Did you mean ${problem.nearest}?`
  return printable(`${place}${subject}${problem.reason}.${hint}`)
}

/** The settings cannot be used. It carries every problem at once, because each further start would show one more. */
export class SettingsError extends Data.TaggedError("SettingsError")<{
  readonly problems: ReadonlyArray<SettingsProblem>
}> {
  override get message(): string {
    return this.problems.map(renderProblem).join("\n")
  }
}

/** A problem before it has a place: where in the settings, by their names in the file. */
export interface KeyProblem {
  readonly path: ReadonlyArray<string | number>
  readonly reason: string
  readonly nearest?: string
  /** Where a person wrote it, if that is another place. */
  readonly writtenAt?: ReadonlyArray<string | number>
}
