import { assert, describe, it } from "@effect/vitest"
import { changedLogins } from "../../../src/Domain/login/LoginChange.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"

const shop = ProjectName.make("shop")
const blog = ProjectName.make("blog")
const none: ReadonlySet<string> = new Set()
const stop = (project: ProjectName, atMs: number, changedMs: number | undefined, path = "/login") => ({
  project,
  atMs,
  files: [
    { path, changedMs },
    { path: "/env", changedMs: undefined }
  ]
})

describe("a changed login", () => {
  it("starts a worker that has stopped before the change, and no other", () => {
    assert.deepStrictEqual(changedLogins([stop(shop, 100, 101)], none), [{ project: shop, path: "/login" }])
    for (const changedMs of [undefined, 99, 100])
      assert.deepStrictEqual(changedLogins([stop(shop, 100, changedMs)], none), [])
  })

  it("starts all projects of the login, and none again that has stopped since", () => {
    const both = (changedMs: number) => [stop(shop, 100, changedMs), stop(blog, 200, changedMs)]
    assert.lengthOf(changedLogins(both(201), none), 2)
    assert.deepStrictEqual(changedLogins(both(150), none), [], "what blog has tried helps shop as little")
    const elsewhere = [stop(shop, 100, 150), stop(blog, 200, 150, "/other")]
    assert.deepStrictEqual(changedLogins(elsewhere, none), [{ project: shop, path: "/login" }])
  })

  it("starts nobody while another project tries it: an agent that fails may write the file too", () => {
    assert.deepStrictEqual(changedLogins([stop(shop, 100, 101)], new Set(["/login"])), [])
  })
})
