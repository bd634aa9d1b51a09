import { type OptionValue, project, settingKey, settingValue } from "./OptionValue.ts"

/** A positional argument. */
interface Argument<A> {
  readonly placeholder: string
  /** Completes the sentence "switch needs ...". */
  readonly needed: string
  readonly value: OptionValue<A>
  /** A few words without a full stop. */
  readonly summary: string
}

const argument = <A>(row: Argument<A>): Argument<A> => row

/** The arguments of all commands. `commandTable` says which command takes which. */
const argumentTable = {
  target: argument({
    placeholder: "NAME",
    needed: "the name of a project",
    value: project,
    summary: "Name of the project, as listed by: autopilotd projects"
  }),
  key: argument({
    placeholder: "KEY",
    needed: "the name of a setting",
    value: settingKey,
    summary: "Name of the setting with its tables, such as restart.jitter"
  }),
  value: argument({
    placeholder: "VALUE",
    needed: "a value after the name of the setting",
    value: settingValue,
    summary: "TOML value; taken as text where it is not valid TOML or has the wrong type"
  })
}

export type ArgumentKey = keyof typeof argumentTable

type ValueOf<Row> = Row extends Argument<infer A> ? A : never

/** The arguments of one command line. */
export type ArgumentValues = { readonly [K in ArgumentKey]?: ValueOf<(typeof argumentTable)[K]> }

/** The row of an argument, widened to the type that all rows share. */
export const argumentRow = (key: ArgumentKey): Argument<unknown> => argumentTable[key]
