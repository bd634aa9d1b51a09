import { assert, describe, it } from "@effect/vitest"
import { parse } from "smol-toml"
import { addedIn, addedText, tableText, withAdded } from "../../../src/Domain/settings/SettingsProjects.ts"

describe("an added project", () => {
  const shop = { workingDir: "/srv/a b", argv: ["claude", "-p", 'say "hi"\n'] } as const

  it("stands in the settings file as its table says", () => {
    const { projects } = parse(tableText("a.b", shop))
    assert.deepStrictEqual(projects, {
      "a.b": { working_dir: "/srv/a b", worker_command: { type: "Command", argv: [...shop.argv] } }
    })
  })

  it("is found again in the text that keeps it, which nobody else has written", () => {
    const added = new Map([["shop", shop]])
    assert.deepStrictEqual(addedIn(addedText(added)), added)
    for (const text of [
      "",
      "[]",
      '{"shop":5}',
      '{"shop":{"workingDir":"/srv","argv":[]}}',
      '{"shop":{"workingDir":"/srv","argv":["a",1]}}',
      '{"shop":{"workingDir":5,"argv":["a"]}}'
    ])
      assert.isUndefined(addedIn(text), text)
  })

  it("gives way to a table of its name, and to another project of it", () => {
    const added = new Map([
      ["shop", shop],
      ["blog", shop],
      ["docs", shop]
    ])
    const { names, raw } = withAdded({ model: "opus", projects: { blog: {} } }, added, ["docs"])
    assert.deepStrictEqual(names, ["shop"])
    assert.deepStrictEqual(Object.keys(raw["projects"] ?? {}), ["blog", "shop"])
    const invalid = { projects: 5 }
    assert.deepStrictEqual(withAdded(invalid, added, []), { raw: invalid, names: [] })
  })
})
