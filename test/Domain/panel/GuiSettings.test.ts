import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { decodeGuiSettings } from "../../../src/Domain/panel/GuiSettings.ts"

const problems = (gui: unknown) =>
  Either.match(decodeGuiSettings({ gui }), {
    onLeft: (found) =>
      found.map(({ nearest, path, reason }) =>
        [path.join("."), reason, ...(nearest === undefined ? [] : [nearest])].join(" ")
      ),
    onRight: () => []
  })

describe("gui.toml", () => {
  it("needs nothing: the panel starts no daemon and is embedded nowhere", () => {
    assert.deepStrictEqual(decodeGuiSettings({}), Either.right({ auto_start: false, embed_origins: [] }))
  })

  it("has a port, a preference and origins", () => {
    const gui = {
      port: 0,
      auto_start: true,
      embed_origins: ["http://localhost:3000", "https://a-b.example.org"]
    }
    assert.deepStrictEqual(decodeGuiSettings({ gui }), Either.right(gui))
  })

  it("takes for an origin only what is one: it becomes a part of a header", () => {
    for (const origin of [
      "*",
      "http://*",
      "http://*.example.org",
      "https://example.org/",
      "https://example.org/path",
      "https://user@example.org",
      "ftp://example.org",
      "example.org",
      "'self'",
      "http://a; script-src *",
      "http://a http://b",
      "http://a\nx: y",
      "http://a:0",
      "http://a:70000",
      "http://",
      "javascript://a",
      ""
    ])
      assert.lengthOf(problems({ embed_origins: ["http://localhost:3000", origin] }), 1, origin)
  })

  it("reports every problem at its key, with what was meant", () => {
    assert.deepStrictEqual(
      problems({ port: 99_999, auto_start: "yes", embed_origins: ["x"], prot: 1 }).toSorted(),
      [
        'gui.auto_start must be true or false, not "yes"',
        'gui.embed_origins must be an array of origins such as ["http://localhost:3000"], without paths and wildcards, but the one at position 1 is "x"',
        "gui.port must be a whole number from 0 to 65535, where 0 lets the system choose, not 99999",
        "gui.prot is not a setting of the panel gui.port"
      ]
    )
    assert.deepStrictEqual(problems(7), ["gui must be a table, not 7"])
  })
})
