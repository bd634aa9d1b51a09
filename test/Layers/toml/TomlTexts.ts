import * as FastCheck from "effect/FastCheck"
import { parse } from "smol-toml"

/** A TOML text with traps for whoever edits it line by line. */
export interface TrickyText {
  readonly text: string
  /** The tables that have a `[header]`. */
  readonly headers: ReadonlyArray<ReadonlyArray<string>>
}

type Pick = <A>(choices: readonly [A, ...ReadonlyArray<A>]) => A

const names = ["model", "restart", "a.b", "x = 1 # y", "[restart]", "env", 'q"q', "__proto__", "1"] as const

const written = (name: string, pick: Pick): string => {
  if (/^[A-Za-z0-9_-]+$/.test(name) && pick([true, true, true, false])) return name
  return name.includes("'") || pick([true, false]) ? JSON.stringify(name) : `'${name}'`
}

/** Values of all kinds, some of which look like other lines of a settings file. */
export const values = [
  "1",
  '"opus"',
  '"# no comment"',
  "'a = \"b\", c'",
  '"""\n[restart]\nmodel = "x"\n# none"""',
  "'''\n\n  [env]\n  'model' = 1 }, #\n'''",
  '"""\\\n  one \\\n  two"""',
  "[]",
  '[ # one\n  "]", # two, three\n\n  [1, 2], ]',
  "[{ model = 1 }, { model = 2 }]",
  "0xff",
  "9007199254740993",
  "-1.5e3",
  "true",
  "1979-05-27T07:32:00Z",
  "07:32:00"
] as const

const comments = ["# plain", '# model = "old"', "# [restart]", "#", '# """', "# }, x"] as const

/** Renders a text of random tables. Each table is written in one of the ways that TOML has. */
class Renderer {
  readonly #dice: ReadonlyArray<number>
  #thrown = 0
  readonly headers: Array<ReadonlyArray<string>> = []
  readonly #sections: Array<ReadonlyArray<string>> = []

  constructor(dice: ReadonlyArray<number>) {
    this.#dice = dice
  }

  readonly pick: Pick = (choices) => choices[(this.#dice[this.#thrown++] ?? 0) % choices.length] ?? choices[0]

  #key(path: ReadonlyArray<string>): string {
    return path.map((name) => written(name, this.pick)).join(this.pick([".", ".", " . ", "\t."]))
  }

  /** What may stand above a line. */
  #above(): ReadonlyArray<string> {
    return this.pick([
      [],
      [],
      [],
      [""],
      [this.pick(comments)],
      ["", this.pick(comments)],
      [`  ${this.pick(comments)}`, "", "\t"]
    ])
  }

  #comment(): string {
    return this.pick(["", "", "", " ", " # model", `\t${this.pick(comments)}`])
  }

  #names(): ReadonlyArray<string> {
    const count = this.pick([2, 3, 1, 4, 0])
    return [...new Set(Array.from({ length: count }, () => this.pick(names)))]
  }

  #inlineTable(depth: number): string {
    const entries = this.#names().map((name) => this.#inlineEntry([name], depth))
    const layout = this.pick(["spaced", "tight", "trailing comma", "lines", "lines with comments"])
    if (entries.length === 0) return this.pick(["{}", "{ }", "{   }", "{\n  # none, yet\n}"])
    if (layout === "tight") return `{${entries.join(",")}}`
    if (layout === "trailing comma") return `{ ${entries.join(" , ")}, }`
    if (layout === "lines") return `{\n  ${entries.join(",\n  ")}${this.pick(["", ","])}\n}`
    if (layout === "spaced") return `{ ${entries.join(", ")} }`
    return `{ # one, two\n  ${entries.join(", # }\n  # next\n\t")}${this.pick([" # last", ", # last", " # last\n,"])}\n  # end, }\n}`
  }

  #inlineEntry(path: ReadonlyArray<string>, depth: number): string {
    if (depth > 0 && this.pick([false, false, true])) {
      return this.#inlineEntry([...path, this.pick(names)], depth - 1)
    }
    const value = depth > 0 && this.pick([false, true]) ? this.#inlineTable(depth - 1) : this.pick(values)
    return `${this.#key(path)}${this.pick([" = ", "="])}${value}`
  }

  #entryLines(path: ReadonlyArray<string>, value: string): ReadonlyArray<string> {
    const indent = this.pick(["", "", "  ", "\t"])
    return [
      ...this.#above(),
      `${indent}${this.#key(path)}${this.pick([" = ", "=", "\t=  "])}${value}${this.#comment()}`
    ]
  }

  /** What stands in one body: keys of the table itself, and tables that are made by dotted keys. */
  #body(table: ReadonlyArray<string>, prefix: ReadonlyArray<string>, depth: number): ReadonlyArray<string> {
    return this.#names().flatMap((name) => {
      const path = [...prefix, name]
      const form =
        depth === 0
          ? "value"
          : this.pick(["value", "header", "inline", "dotted", "implied", "header", "value", "array"])
      switch (form) {
        case "inline":
          return this.#entryLines(path, this.#inlineTable(2))
        case "dotted":
          return this.#body(table, path, depth - 1)
        case "header":
          this.#section([...table, ...path], depth - 1)
          return []
        case "implied":
          this.#section([...table, ...path, this.pick(names)], depth - 1)
          return []
        case "array":
          this.#arrayOfTables([...table, ...path])
          return []
        default:
          return this.#entryLines(path, this.pick(values))
      }
    })
  }

  #headerLines(path: ReadonlyArray<string>, open: string, close: string): ReadonlyArray<string> {
    const space = this.pick(["", "", " "])
    const indent = this.pick(["", "", "", "  "])
    return [...this.#above(), `${indent}${open}${space}${this.#key(path)}${space}${close}${this.#comment()}`]
  }

  #section(path: ReadonlyArray<string>, depth: number): void {
    this.headers.push(path)
    const lines = [...this.#headerLines(path, "[", "]"), ...this.#body(path, [], depth)]
    if (this.pick([true, false])) this.#sections.push(lines)
    else this.#sections.unshift(lines)
  }

  #arrayOfTables(path: ReadonlyArray<string>): void {
    const elements = this.pick([1, 2])
    for (let element = 0; element < elements; element++) {
      this.#sections.push([
        ...this.#headerLines(path, "[[", "]]"),
        ...this.#entryLines(["model"], this.pick(values)),
        ...this.#headerLines([...path, "restart"], "[", "]"),
        ...this.#entryLines(["model"], this.pick(values))
      ])
    }
  }

  text(): string {
    const root = this.#body([], [], 3)
    const lines = [root, ...this.#sections, this.#above()].flat()
    const isEnded = this.pick([true, true, false])
    const text = lines.join("\n") + (isEnded && lines.length > 0 ? "\n" : "")
    const mark = this.pick(["", "", "", "\uFEFF"])
    return mark + (this.pick([true, true, false]) ? text : text.replaceAll("\n", "\r\n"))
  }
}

/** Whether smol-toml reads it. */
export const isToml = (text: string): boolean => {
  try {
    parse(text, { integersAsBigInt: true })
    return true
  } catch {
    return false
  }
}

/** Texts of all the forms that TOML has: few names in many tables, so that only the way to a key tells it. */
export const trickyText: FastCheck.Arbitrary<TrickyText> = FastCheck.array(FastCheck.nat({ max: 999 }), {
  minLength: 20,
  maxLength: 300,
  size: "max"
})
  .map((dice) => {
    const renderer = new Renderer(dice)
    return { text: renderer.text(), headers: renderer.headers }
  })
  // A table that dotted keys and a header both make, or two names that met: such a text is no TOML.
  .filter(({ text }) => isToml(text))
