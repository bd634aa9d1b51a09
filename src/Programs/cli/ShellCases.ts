import type { Completion, Offers } from "./CompletionScript.ts"

type Command = Completion["commands"][number]

const label = (text: string): string => (text === "" ? '""' : `"${text}"`)

/** A line of any shell that prints the names in hosts.toml; the path is one word of that shell. */
export const hostNames = (path: string): string =>
  String.raw`sed -n 's/^ *\[ *hosts *\. *"*\([A-Za-z0-9._-]*\).*/\1/p' ${path} 2>/dev/null`

/** How a shell says it. */
interface Dialect {
  /** One line that offers words. */
  readonly offer: (offers: Offers | "values") => string
  /** The line that sets the options of a command. */
  readonly options: (options: Command["options"]) => string
}

/** The patterns and branches of `case` that bash and zsh have alike. */
export const shellCases = ({ commands, values, words }: Completion, { offer, options }: Dialect) => {
  const known = [...words.map(([before]) => before), ...commands.flatMap(({ labels }) => labels)]
  const ofCommand = ({ args, isOpen, labels, options: own }: Command): string => {
    const places = args.map(
      (place, at) => `${at === args.length - 1 && isOpen ? "*" : at}) ${offer(place)} ;;`
    )
    return `      ${labels.map(label).join("|")})
        ${options(own)}
        case $count in
          ${[...places, ...(isOpen ? [] : ["*) ;;"])].join("\n          ")}
        esac ;;`
  }
  return {
    /** The options that take a value. */
    valued: values.flatMap(([names]) => names).join("|"),
    /** The commands, and the first words of those of two words. */
    known: known
      .filter((name) => name !== "")
      .map(label)
      .join("|"),
    /** What may follow an option. */
    ofOptions: values.map(([names, offers]) => `    ${names.join("|")}) ${offer(offers)} ;;`).join("\n"),
    /** What may follow the words so far. */
    ofWords: [
      ...words.map(([before, offers]) => `      ${label(before)}) ${offer(offers)} ;;`),
      ...commands.map(ofCommand)
    ].join("\n")
  }
}
