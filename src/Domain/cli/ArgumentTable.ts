import { type OptionValue, project, settingKey, settingValue } from "./OptionValue.ts"

/** A word after a command that means something by its place. */
interface Argument<A> {
  readonly placeholder: string
  /** Completes the sentence "switch needs ...". */
  readonly needed: string
  readonly value: OptionValue<A>
  /** What it is, in a few words; ends without a full stop. */
  readonly summary: string
}

const argument = <A>(row: Argument<A>): Argument<A> => row

/** The arguments of commands. Which command has which, and in what order, stands in the table of commands. */
const argumentTable = {
  target: argument({
    placeholder: "NAME",
    needed: "the name of a project",
    value: project,
    summary: "Name of the project, as `autopilotd projects` shows it"
  }),
  key: argument({
    placeholder: "KEY",
    needed: "the name of a setting",
    value: settingKey,
    summary: "Name of the setting with the tables it stands in: restart.jitter"
  }),
  value: argument({
    placeholder: "VALUE",
    needed: "a value after the name of the setting",
    value: settingValue,
    summary: "A TOML value; what is none, or none that the setting takes, is taken as text"
  })
}

export type ArgumentKey = keyof typeof argumentTable

type ValueOf<Row> = Row extends Argument<infer A> ? A : never

/** The arguments of one command line: those that its command has. */
export type ArgumentValues = { readonly [K in ArgumentKey]?: ValueOf<(typeof argumentTable)[K]> }

/** The row of an argument, in the shape all rows have in common. */
export const argumentRow = (key: ArgumentKey): Argument<unknown> => argumentTable[key]
