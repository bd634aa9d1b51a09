import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command } from "../TestDaemon.ts"
import { npm } from "./NodeRelease.ts"

const root = resolve(import.meta.dirname, "../../..")
const needed = [
  ".npmrc",
  "bin",
  "package-lock.json",
  "package.json",
  "scripts",
  "src",
  "tools",
  "tsconfig.json"
]

describe("a fresh clone", () => {
  let clone = ""

  beforeAll(() => {
    clone = fs.mkdtempSync(join(tmpdir(), "apd-clone-"))
    for (const name of needed) fs.cpSync(join(root, name), join(clone, name), { recursive: true })
    // The packages of this checkout are in npm's cache already.
    fs.appendFileSync(join(clone, ".npmrc"), "prefer-offline=true\n")
  })

  afterAll(() => fs.rmSync(clone, { recursive: true, force: true }))

  it.live("autopilotd says which command builds it", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* command({
        home: clone,
        command: join(clone, "bin/autopilotd"),
        args: ["status"]
      })
      assert.deepStrictEqual(
        [code, stderr],
        [1, `autopilotd: this checkout is not built. Run in ${fs.realpathSync(clone)}: npm run build\n`]
      )
    })
  )

  it("npm run build makes the same bundle with only the packages that the build needs", async () => {
    await npm(["run", "build"], clone)
    for (const name of ["autopilotd.js", "THIRD-PARTY-NOTICES.txt"]) {
      const built = fs.readFileSync(join(clone, "dist", name), "utf8")
      assert.isTrue(built === fs.readFileSync(join(root, "dist", name), "utf8"), name)
    }
    const tools = ["@biomejs", "@effect/vitest", "@effect/sql", "oxlint", "typescript", "vitest"]
    assert.deepStrictEqual(
      tools.filter((name) => fs.existsSync(join(clone, "node_modules", name))),
      []
    )
  }, 300_000)
})
