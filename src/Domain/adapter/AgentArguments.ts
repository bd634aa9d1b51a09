import type { CommandLine } from "./AgentAdapter.ts"

/**
 * What follows an option: nothing; a value; a value unless the next argument is an option; all arguments up to the next
 * option.
 */
type OptionKind = "flag" | "value" | "maybe" | "list"

/** The options of a program by their names, dashes included. */
export type Options = ReadonlyMap<string, OptionKind>

/** Names each kind's options, separated by spaces. */
export const optionsOf = (names: Readonly<Record<OptionKind, string>>): Options =>
  new Map(
    (["flag", "value", "maybe", "list"] as const).flatMap((kind) =>
      names[kind]
        .split(/\s+/)
        .filter((name) => name !== "")
        .map((name) => [name, kind] as const)
    )
  )

/** An option of a command line: `argv[from]` to before `argv[to]`. */
interface GivenOption {
  readonly name: string
  readonly value: string | undefined
  readonly from: number
  readonly to: number
}

export interface Arguments {
  readonly options: ReadonlyArray<GivenOption>
  /** The places of the arguments that are no options and no values of options. */
  readonly operands: ReadonlyArray<number>
  /** False after an option that is unknown: the argument behind it may be its value. */
  readonly isCertain: boolean
}

const isOption = (argument: string | undefined): boolean =>
  argument !== undefined && argument.length > 1 && argument.startsWith("-")

/** `--name=value`, `-n=value`, `-nvalue`. */
const attached = /^(--[^=]+|-[^-])=?(.*)$/s

const optionAt = (
  argv: CommandLine,
  from: number,
  options: Options
): { readonly option: GivenOption; readonly isKnown: boolean } => {
  const name = argv[from] ?? ""
  const kind = options.get(name)
  const next = argv[from + 1]
  const upTo = (to: number) => ({
    option: { name, value: to > from + 1 ? next : undefined, from, to },
    isKnown: kind !== undefined
  })
  switch (kind) {
    case "flag":
      return upTo(from + 1)
    case "value":
      return upTo(Math.min(from + 2, argv.length))
    case "maybe":
      return upTo(next === undefined || isOption(next) ? from + 1 : from + 2)
    case "list": {
      const length = argv.slice(from + 1).findIndex(isOption)
      return upTo(length === -1 ? argv.length : from + 1 + length)
    }
    default: {
      const [, ownName = name, value] = attached.exec(name) ?? []
      const ownKind = options.get(ownName)
      // A value behind a sign of equality never is another argument. Several letters behind one dash may be.
      const isKnown = name.includes("=") || (ownKind !== undefined && ownKind !== "flag")
      return { option: { name: ownName, value, from, to: from + 1 }, isKnown }
    }
  }
}

/** Reads a command line as the usual libraries do. `start` is the place of the first argument. */
export const argumentsOf = (argv: CommandLine, options: Options, start = 1): Arguments => {
  const given: Array<GivenOption> = []
  const operands: Array<number> = []
  let isCertain = true
  for (let at = start; at < argv.length; ) {
    if (argv[at] === "--") {
      for (let rest = at + 1; rest < argv.length; rest++) operands.push(rest)
      break
    }
    if (isOption(argv[at])) {
      const { isKnown, option } = optionAt(argv, at, options)
      given.push(option)
      isCertain &&= isKnown
      at = option.to
    } else {
      operands.push(at)
      at++
    }
  }
  return { options: given, operands, isCertain }
}

/** The last value of an option under any of its names. */
export const valueOf = ({ options }: Arguments, ...names: ReadonlyArray<string>): string | undefined =>
  options.findLast(({ name }) => names.includes(name))?.value

export const has = ({ options }: Arguments, names: ReadonlySet<string>): boolean =>
  options.some(({ name }) => names.has(name))

/** The program's name without its folder. */
export const programOf = ([program]: CommandLine): string => program.slice(program.lastIndexOf("/") + 1)

/** Takes options and operands out of a command line. */
export const without = (
  argv: CommandLine,
  { options }: Arguments,
  gone: ReadonlySet<string>,
  operands: ReadonlyArray<number> = []
): CommandLine => {
  const cut = options.filter(({ name }) => gone.has(name))
  const isGone = (place: number): boolean =>
    operands.includes(place) || cut.some(({ from, to }) => from <= place && place < to)
  const [program, ...rest] = argv
  return [program, ...rest.filter((_, index) => !isGone(index + 1))]
}

/** Puts arguments right behind the one at a place. */
export const withArguments = (argv: CommandLine, added: ReadonlyArray<string>, place = 0): CommandLine => {
  const [program, ...rest] = argv
  return [program, ...rest.slice(0, place), ...added, ...rest.slice(place)]
}

/** Replaces the argument at a place. */
export const withArgument = (argv: CommandLine, place: number, argument: string): CommandLine => {
  const [program, ...rest] = argv
  return [program, ...rest.with(place - 1, argument)]
}

/** Takes options out of a command line, and puts others at its beginning. */
export const withOptions = (
  argv: CommandLine,
  given: Arguments,
  gone: ReadonlySet<string>,
  added: ReadonlyArray<string>
): CommandLine => withArguments(without(argv, given, gone), added)

/** Sets the model, right behind the command of a program that has some. */
export const withModel = (
  argv: CommandLine,
  read: (argv: CommandLine) => Arguments,
  names: ReadonlySet<string>,
  model: string,
  hasCommands = false
): CommandLine => {
  const others = without(argv, read(argv), names)
  const place = hasCommands ? (read(others).operands[0] ?? 0) : 0
  return withArguments(others, ["--model", model], place)
}
