import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { parse } from "smol-toml"
import { isProjectName } from "../../../src/Domain/ProjectNameRules.ts"
import { freeName, tableText, withAdded } from "../../../src/Domain/settings/AddedProject.ts"

describe("the name of a new project", () => {
  it.each([
    ["/home/me/code/shop", [], "shop"],
    ["/home/me/code/shop", ["shop"], "shop-2"],
    ["/home/me/code/shop", ["shop-2", "shop"], "shop-3"],
    ["/home/me/my shop (old)", [], "my-shop-old-"],
    ["/home/me/.dotfiles", [], "dotfiles"],
    ["/", [], "agent"],
    ["/srv/日本", [], "agent"],
    ["/srv/autopilotd.log", [], "agent"]
  ])("is that of its folder: %s beside %j", (folder, taken, expected) => {
    assert.strictEqual(freeName(folder, taken), expected)
  })

  it("is a name that nobody has, whatever the folder", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), FastCheck.array(FastCheck.string()), (folder, others) => {
        const taken = [freeName(folder, []), ...others]
        const name = freeName(folder, taken)
        assert.isTrue(isProjectName(name))
        assert.notInclude(taken, name)
      })
    )
  })
})

describe("an added project", () => {
  const shop = { workingDir: "/srv/a b", argv: ["claude", "-p", 'say "hi"\n'] } as const

  it("stands in the settings file as its table says", () => {
    const { projects } = parse(tableText("a.b", shop))
    assert.deepStrictEqual(projects, {
      "a.b": { working_dir: "/srv/a b", worker_command: { type: "Command", argv: [...shop.argv] } }
    })
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
