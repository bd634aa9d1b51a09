import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { acceptedKeyPath } from "../../../src/Domain/toml/KeyPath.ts"
import { setKey, unsetKey, valueTextAt } from "../../../src/Layers/toml/TomlEdit.ts"

const set = (text: string, key: string, value: string) => setKey(text, acceptedKeyPath(key), value)
const unset = (text: string, key: string) => unsetKey(text, acceptedKeyPath(key))

type Settings = ReadonlyArray<[what: string, before: string, key: string, value: string, after: string]>

const replacements: Settings = [
  ["at the top", 'model = "a" # why\n', "model", '"b"', 'model = "b" # why\n'],
  ["below its header", "[a]\nx = 1\n[b]\nx = 2\n", "b.x", "3", "[a]\nx = 1\n[b]\nx = 3\n"],
  ["with dots", "restart.jitter=0\n", "restart.jitter", "5", "restart.jitter=5\n"],
  ["with dots below a header", "[p]\ns . m = 1\n", "p.s.m", "2", "[p]\ns . m = 2\n"],
  ["in an inline table", "a = { b = { c = 1 } }\n", "a.b.c", "2", "a = { b = { c = 2 } }\n"],
  ["that is an inline table", "env = { A = 1 }\n", "env", "{}", "env = {}\n"],
  ["in quotes", "\"a.b\" = 1\n'#=' = 2\n", '"#="', "3", "\"a.b\" = 1\n'#=' = 3\n"],
  ["of several lines", "a = [\n  1, # one\n]\nb = 1\n", "a", "[2]", "a = [2]\nb = 1\n"],
  ["with one of several lines", "a = 1 # x\n", "a", '"""\n[b]\n"""', 'a = """\n[b]\n""" # x\n'],
  ["and not what looks like it", 'a = """\nb = 1\n"""\nb = 1\n', "b", "2", 'a = """\nb = 1\n"""\nb = 2\n']
]

const newKeys: Settings = [
  ["below the last key of its table", "[a]\nx = 1\n\n[b]\n", "a.y", "2", "[a]\nx = 1\ny = 2\n\n[b]\n"],
  [
    "below the comment of the last key, above those of what follows",
    "[a]\nx = 1 # one\n# z = 3\n\n# b\n[b]\n",
    "a.y",
    "2",
    "[a]\nx = 1 # one\ny = 2\n# z = 3\n\n# b\n[b]\n"
  ],
  ["indented as its sibling", "[a]\n\tx = 1\n", "a.y", "2", "[a]\n\tx = 1\n\ty = 2\n"],
  ["below a value of several lines", "[a]\n  x = [\n1 ]\n", "a.y", "2", "[a]\n  x = [\n1 ]\n  y = 2\n"],
  ["below an empty header", "[a] # a\n# x = 1\n", "a.y", "2", "[a] # a\ny = 2\n# x = 1\n"],
  [
    "with the line ending of the text",
    "[a]\r\nx = 1\r\n\r\n[b]\r\n",
    "a.y",
    "2",
    "[a]\r\nx = 1\r\ny = 2\r\n\r\n[b]\r\n"
  ],
  ["without a newline at the end, if there was none", "[a]\nx = 1", "a.y", "2", "[a]\nx = 1\ny = 2"],
  [
    "in the right table of several of that name",
    "[a.x]\n[b.x]\n[c.x]\n",
    "b.x.y",
    "2",
    "[a.x]\n[b.x]\ny = 2\n[c.x]\n"
  ],
  [
    "with dots, when its own table is not there but one around it is",
    "[p.shop]\nx = 1\n",
    "p.shop.env.A",
    '"1"',
    '[p.shop]\nx = 1\nenv.A = "1"\n'
  ],
  ["with quotes where it needs them", "[env]\n", 'env."A B"', '"1"', '[env]\n"A B" = "1"\n'],
  [
    "beside others with dots, where no header is allowed",
    "restart.a = 1 # a\nx = 1\n",
    "restart.b",
    "2",
    "restart.a = 1 # a\nrestart.b = 2\nx = 1\n"
  ],
  [
    "beside others with dots below a header",
    "[p]\ns.a = 1\nx = 1\n",
    "p.s.t.b",
    "2",
    "[p]\ns.a = 1\ns.t.b = 2\nx = 1\n"
  ]
]

const newTopLevelKeys: Settings = [
  ["below the last one", "a = 1\n\n[b]\n", "c", "2", "a = 1\nc = 2\n\n[b]\n"],
  ["above the first header", "[b]\n", "c", "2", "c = 2\n\n[b]\n"],
  ["above the first header and its comment", "# all\n\n# b\n[b]\n", "c", "2", "# all\n\nc = 2\n\n# b\n[b]\n"],
  ["in an empty file", "", "c", "2", "c = 2\n"],
  ["behind a byte order mark", "\uFEFF", "c", "2", "\uFEFFc = 2\n"],
  ["behind a byte order mark, above a header", "\uFEFF[b]\r\n", "c", "2", "\uFEFFc = 2\r\n\r\n[b]\r\n"],
  ["below a file of comments", "# a\n# b\n", "c", "2", "# a\n# b\n\nc = 2\n"],
  ["below a file of comments without a newline", "# a", "c", "2", "# a\n\nc = 2"]
]

const newTables: Settings = [
  ["at the end, after a blank line", "a = 1\n", "restart.jitter", "5", "a = 1\n\n[restart]\njitter = 5\n"],
  [
    "with one blank line, when there is one",
    "[b]\n\n",
    "restart.jitter",
    "5",
    "[b]\n\n[restart]\njitter = 5\n"
  ],
  ["with Windows line endings", "a = 1\r\n", "r.j", "5", "a = 1\r\n\r\n[r]\r\nj = 5\r\n"],
  ["without a newline at the end", "a = 1", "r.j", "5", "a = 1\n\n[r]\nj = 5"],
  ["in an empty file", "", "r.j", "5", "[r]\nj = 5\n"],
  ["below a file of comments", "# a\n", "r.j", "5", "# a\n\n[r]\nj = 5\n"],
  ["of a deep key, in one header", "", 'p."a.b".env.A', '"1"', '[p."a.b".env]\nA = "1"\n'],
  ["beside another project", "[p.shop]\nm = 1\n", "p.blog.m", "2", "[p.shop]\nm = 1\n\n[p.blog]\nm = 2\n"],
  [
    "above the first header of the tables in it, and above its comment",
    "[a]\n# shop\n[p.shop.restart]\nx = 1\n[p.shop.env]\n",
    "p.shop.model",
    '"b"',
    '[a]\n\n[p.shop]\nmodel = "b"\n\n# shop\n[p.shop.restart]\nx = 1\n[p.shop.env]\n'
  ],
  [
    "below text that only looks like a comment",
    'a = """\n# shop"""\n[p.shop.env]\n',
    "p.shop.m",
    "1",
    'a = """\n# shop"""\n\n[p.shop]\nm = 1\n\n[p.shop.env]\n'
  ]
]

const inInlineTables: Settings = [
  ["behind the last one", "a = { b = 1 } # x\n", "a.c", "2", "a = { b = 1, c = 2 } # x\n"],
  ["without spaces around", "a={b=1}\n", "a.c", "2", "a={b=1, c = 2}\n"],
  ["in an empty one", "a = {}\n", "a.c", "2", "a = { c = 2 }\n"],
  ["in an empty one with a space", "a = { }\n", "a.c", "2", "a = { c = 2 }\n"],
  ["with dots", "a = { b.c = 1 }\n", "a.b.d", "2", "a = { b.c = 1, b.d = 2 }\n"],
  ["behind a comma at the end", "a = { b = 1, }\n", "a.c", "2", "a = { b = 1, c = 2, }\n"],
  ["on its own line", "a = {\n  b = 1\n}\n", "a.c", "2", "a = {\n  b = 1,\n  c = 2\n}\n"],
  ["below a comment", "a = {\n  b = 1 # b, 1\n}\n", "a.c", "2", "a = {\n  b = 1, # b, 1\n  c = 2\n}\n"],
  [
    "below a comma and a comment",
    "a = {\r\n\tb = 1, # b\r\n}\r\n",
    "a.c",
    "2",
    "a = {\r\n\tb = 1, # b\r\n\tc = 2,\r\n}\r\n"
  ]
]

describe("Setting a key", () => {
  for (const [does, examples] of [
    ["replaces one", replacements],
    ["writes a new one", newKeys],
    ["writes a new one at the top level", newTopLevelKeys],
    ["writes a table that is not there", newTables],
    ["writes a new one in an inline table", inInlineTables]
  ] as const) {
    it.each(examples)(`${does} %s`, async (_, before, key, value, after) => {
      assert.strictEqual(await Effect.runPromise(set(before, key, value)), after)
    })
  }
})

describe("Removing a key", () => {
  it.each<[what: string, before: string, key: string, after: string]>([
    ["with its line and comment", "# a\na = 1 # x\n\n# b\nb = 2\n", "a", "# a\n\n# b\nb = 2\n"],
    ["with all its lines", 'a = """\nb = 1\n"""\r\nb = 2\r\n', "a", "b = 2\r\n"],
    ["but not its header", "[a]\nx = 1\n[b]\n", "a.x", "[a]\n[b]\n"],
    ["with dots", "r.a = 1\nr.b = 2\n", "r.a", "r.b = 2\n"],
    ["on the last line without a newline", "[a]\r\nx = 1\r\ny = 2", "a.y", "[a]\r\nx = 1"],
    ["that is all there is", "\uFEFFa = 1", "a", "\uFEFF"],
    ["that is not there: nothing changes", "[a]\nx = 1", "a.b.c", "[a]\nx = 1"],
    ["first in an inline table", "a = { b = 1, c = 2 }\n", "a.b", "a = { c = 2 }\n"],
    ["between two in an inline table", "a = {b=1,c=2,d=3}\n", "a.c", "a = {b=1,d=3}\n"],
    ["last in an inline table", "a = { b = 1, c = 2 } # x\n", "a.c", "a = { b = 1 } # x\n"],
    ["last before a comma", "a = { b = 1, c = 2, }\n", "a.c", "a = { b = 1, }\n"],
    ["alone in an inline table", "a = { b = 1 }\n", "a.b", "a = {}\n"],
    [
      "on its own line in one",
      "a = {\n  b = 1, # b\n  # c\n  c = 2\n}\n",
      "a.b",
      "a = {\n  # c\n  c = 2\n}\n"
    ],
    [
      "on the last line in one",
      "a = {\n  b = 1, # b, b\n  c = 2 # c\n}\n",
      "a.c",
      "a = {\n  b = 1 # b, b\n}\n"
    ],
    [
      "that is a table: its headers and keys go, and one blank line",
      "[p.shop]\nx = 1\n\n[p.blog]\nx = 1\n# inside\ny = 2\n\n[p.blog.env]\nA = 1\n\n# next\n[p.ship]\n",
      "p.blog",
      "[p.shop]\nx = 1\n\n# next\n[p.ship]\n"
    ],
    ["that is the first table", "[a]\nx = 1\n\n[a.b]\n\n[c]\n", "a", "[c]\n"],
    ["that is the last table", "[c]\n\n[a]\nx = 1", "a", "[c]\n"],
    ["that is a table between others without blank lines", "[b]\n[a]\nx = 1\n[c]\n", "a", "[b]\n[c]\n"],
    ["that is a table, in all its forms", "[p]\ns.a = 1\ns.b = 2\nx = 1\n[p.s.t]\n", "p.s", "[p]\nx = 1\n"],
    ["that is a table inside an inline one", "a = { b.c = 1, d = 2, b.e = 3 }\n", "a.b", "a = { d = 2 }\n"],
    ["that is an array of tables", "a = 1\n\n[[s]]\n[s.b]\n\n[[s]]\n[s.b]\n\n[c]\n", "s", "a = 1\n\n[c]\n"]
  ])("removes one %s", async (_, before, key, after) => {
    assert.strictEqual(await Effect.runPromise(unset(before, key)), after)
  })
})

describe("The text of a value", () => {
  it.effect("is returned as it is written, and undefined for a table or an absent key", () =>
    Effect.gen(function* () {
      const text = '\uFEFFa = [ 1, # one\n 2 ] # x\nenv = { A = "1" }\n[b]\nx . y = 0x1F\n[[s]]\nz = 1\n'
      const read = (key: string) => valueTextAt(text, acceptedKeyPath(key))
      assert.strictEqual(yield* read("a"), "[ 1, # one\n 2 ]")
      assert.strictEqual(yield* read("env"), '{ A = "1" }')
      assert.strictEqual(yield* read("env.A"), '"1"')
      assert.strictEqual(yield* read("b.x.y"), "0x1F")
      for (const key of ["b", "b.x", "c", "a.b", "s", "s.z"]) assert.isUndefined(yield* read(key))
    })
  )
})

describe("A key that cannot be edited", () => {
  const refusalOf = (edit: Effect.Effect<unknown, { readonly message: string }>) =>
    edit.pipe(
      Effect.flip,
      Effect.map(({ message }) => message)
    )

  it.effect("is refused with the reason and the place", () =>
    Effect.gen(function* () {
      const text = 'model = "s3cret"\nr.j = 1\n[memory]\nx = [{ y = "s3cret" }]\n[p.s.env]\n[[hook]]\nz = 1\n'
      const cases: ReadonlyArray<readonly [string, string]> = [
        [
          "model.size",
          "model is a value, not a table (line 1, column 1). Remove it first, or name another key."
        ],
        [
          "memory.x.y",
          "memory.x is a value, not a table (line 4, column 1). Remove it first, or name another key."
        ],
        [
          "memory",
          "memory is a table (line 3, column 1). Set the keys in it one by one, or remove it first."
        ],
        ["r", "r is a table (line 2, column 1). Set the keys in it one by one, or remove it first."],
        ["p.s", "p.s is a table (line 5, column 1). Set the keys in it one by one, or remove it first."],
        ["hook", "hook is an array of tables (line 6, column 1). Edit the file by hand."],
        ["hook.z", "hook is an array of tables (line 6, column 1). Edit the file by hand."]
      ]
      for (const [key, reason] of cases) {
        assert.strictEqual(yield* refusalOf(set(text, key, "1")), `${key} cannot be edited: ${reason}`)
      }
      for (const key of ["model.size", "memory.x.y", "hook.z"]) {
        assert.include(yield* refusalOf(unset(text, key)), `${key} cannot be edited: `)
      }
    })
  )

  it.effect("is refused in a text that is not TOML, without showing any of it", () =>
    Effect.gen(function* () {
      const text = '[env]\nA = "s3cret\nmodel = 1\n'
      for (const edit of [set(text, "model", "1"), unset(text, "model"), valueTextAt(text, ["model"])]) {
        const message = yield* refusalOf(edit)
        assert.match(message, /^model cannot be edited: the file is not valid TOML \(line 2, column \d+\): /)
        assert.notInclude(message, "s3cret")
      }
    })
  )

  it.effect("is refused with a value that is not exactly one TOML value", () =>
    Effect.gen(function* () {
      for (const value of [
        "",
        " ",
        "s3cret",
        "1 # s3cret",
        "1\nb = 2",
        "1, b = 2",
        '"',
        "[1",
        "1 }",
        " 1",
        "1\n[b]"
      ]) {
        for (const text of ["", "a = 1\n", "a = 0"]) {
          assert.strictEqual(
            yield* refusalOf(set(text, "a", value)),
            "a cannot be edited: the new value is not one TOML value. Text must stand in quotes."
          )
        }
      }
    })
  )

  it.effect("is refused when its path is empty", () =>
    Effect.gen(function* () {
      for (const edit of [setKey("a = 1", [], "1"), unsetKey("a = 1", [])]) {
        assert.strictEqual(yield* refusalOf(edit), "The key cannot be edited: a key must be named.")
      }
    })
  )

  it.effect("is named without control characters", () =>
    Effect.gen(function* () {
      const message = yield* refusalOf(setKey("'a\u0085\tb' = 1", ["a\u0085\tb", "c"], "1"))
      assert.notMatch(message, /\p{Cc}/u)
      assert.include(message, "is a value, not a table")
    })
  )
})
