import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { verbs } from "../../src/Domain/cli/CommandTable.ts"
import { optionTable } from "../../src/Domain/cli/OptionTable.ts"
import { settingKeys } from "../../src/Domain/settings/SettingKeys.ts"
import { settingVariables } from "../../src/Domain/settings/SettingsEnvironment.ts"

const root = resolve(import.meta.dirname, "../..")
const read = (name: string): string => readFileSync(resolve(root, name), "utf8")
const scripts = Object.keys(JSON.parse(read("package.json")).scripts)

describe("the README", () => {
  const readme = read("README.md")

  it("names every command, option, environment variable and setting", () => {
    const wanted = [
      ...verbs.map((verb) => `autopilotd ${verb}`),
      ...Object.values(optionTable).map((option) => `--${option.long}`),
      ...settingKeys.map(({ key }) => `\`${key}\``),
      ...settingVariables.map(({ name }) => name)
    ]
    assert.deepStrictEqual(
      wanted.filter((name) => !readme.includes(name)),
      []
    )
  })

  it("asks nobody to delete a file by hand", () => {
    assert.notMatch(readme, /\brm (-\w+ )?[~$/]/)
  })
})

describe("the documents", () => {
  for (const name of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md"]) {
    it(`${name} names only scripts and files that exist`, () => {
      const text = read(name)
      const named = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map((match) => match[1] ?? "")
      assert.deepStrictEqual(
        named.filter((script) => !scripts.includes(script)),
        []
      )
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "")
      const sources = [...text.matchAll(/`((?:src|test|bench|systemd|examples)\/[\w./-]+\.\w+)`/g)].map(
        (match) => match[1] ?? ""
      )
      assert.deepStrictEqual(
        [...links, ...sources].filter((path) => !existsSync(resolve(root, path))),
        []
      )
    })
  }
})
