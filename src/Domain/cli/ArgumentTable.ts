import { type OptionValue, project, settingKey, settingValue, text } from "./OptionValue.ts"

interface Row<A> {
  readonly placeholder: string
  /** Completes the sentence "switch needs ...". */
  readonly needed: string
  readonly value: OptionValue<A>
  /** A few words without a full stop. */
  readonly summary: string
}

/** A positional argument. */
interface One<A> extends Row<A> {
  readonly _tag: "One"
}

/** An argument that may stand several times, which makes it the last one of its command. */
interface Several<A> extends Row<A> {
  readonly _tag: "Several"
}

type ArgumentRow = One<unknown> | Several<unknown>

const one = <A>(row: Row<A>): One<A> => ({ _tag: "One", ...row })
const several = <A>(row: Row<A>): Several<A> => ({ _tag: "Several", ...row })

/** The arguments of all commands. `commandTable` says which command takes which. */
const argumentTable = {
  target: one({
    placeholder: "NAME",
    needed: "the name of a project",
    value: project,
    summary: "Name of the project, as listed by: autopilotd projects"
  }),
  /** The project to act on: an invocation has it as the option `project`. */
  name: one({
    placeholder: "NAME",
    needed: "the name of a project",
    value: project,
    summary: "Name of the project, like --project"
  }),
  /** The projects to act on: an invocation has a single one as the option `project`. */
  names: several({
    placeholder: "NAME",
    needed: "the name of a project",
    value: project,
    summary: "Names of projects; a single one is like --project"
  }),
  channel: one({
    placeholder: "NAME",
    needed: "the name of a channel",
    value: text("the name of a channel"),
    summary: "Name of the channel, as listed by: autopilotd notify list"
  }),
  key: one({
    placeholder: "KEY",
    needed: "the name of a setting",
    value: settingKey,
    summary: "Name of the setting with its tables, such as restart.jitter"
  }),
  value: one({
    placeholder: "VALUE",
    needed: "a value after the name of the setting",
    value: settingValue,
    summary:
      "TOML value, taken as text where it is not valid TOML or has the wrong type; 20s, 15m or 4GiB for milliseconds or bytes"
  })
}

export type ArgumentKey = keyof typeof argumentTable

type ValueOf<Row> = Row extends One<infer A> ? A : Row extends Several<infer A> ? ReadonlyArray<A> : never

/** The arguments of one command line. */
export type ArgumentValues = { readonly [K in ArgumentKey]?: ValueOf<(typeof argumentTable)[K]> }

/** The row of an argument, widened to the type that all rows share. */
export const argumentRow = (key: ArgumentKey): ArgumentRow => argumentTable[key]
