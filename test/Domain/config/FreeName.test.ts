import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { freeName } from "../../../src/Domain/config/FreeName.ts"
import { ProjectName, unnamed } from "../../../src/Domain/Project.ts"
import { isProjectName } from "../../../src/Domain/ProjectNameRules.ts"

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

describe("the name of a project without one", () => {
  it("is a name of a project", () => {
    assert.isTrue(Schema.is(ProjectName)(unnamed))
  })
})
