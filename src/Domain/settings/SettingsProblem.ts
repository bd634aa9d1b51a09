import { printable } from "../text/Printable.ts"

/** One problem of the settings, at the place where the setting was written. */
export interface SettingsProblem {
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** The setting, variable or option as written there. Absent for a problem of the whole file. */
  readonly key?: string
  /** Continues a sentence that begins with the key, or with the place. */
  readonly reason: string
  /** The valid key that the user most likely meant. */
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

/** Invalid settings, with all problems at once, so that the user fixes them in one go. */
export class SettingsError extends Error {
  readonly _tag = "SettingsError"
  readonly problems: ReadonlyArray<SettingsProblem>

  constructor({ problems }: Pick<SettingsError, "problems">) {
    super(problems.map(renderProblem).join("\n"))
    this.problems = problems
  }
}

/** The table of a project has mistakes, which cost the other projects nothing. */
export class InvalidProject extends Error {
  readonly _tag = "InvalidProject"
  readonly problems: readonly [SettingsProblem, ...ReadonlyArray<SettingsProblem>]

  constructor({ problems }: Pick<InvalidProject, "problems">) {
    super(problems.map(renderProblem).join("\n"))
    this.problems = problems
  }
}

/** A problem at a path of the settings, before its file and line are known. */
export interface KeyProblem {
  readonly path: ReadonlyArray<string | number>
  readonly reason: string
  readonly nearest?: string
  /** The path at which the user wrote the setting, if it differs. */
  readonly writtenAt?: ReadonlyArray<string | number>
}
