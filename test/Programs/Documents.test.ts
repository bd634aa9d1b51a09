import * as fs from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { verbs } from "../../src/Domain/cli/CommandTable.ts"
import { optionTable } from "../../src/Domain/cli/OptionTable.ts"
import { settingKeys } from "../../src/Domain/config/SettingReference.ts"
import { settingVariables, workerBinaryVariable } from "../../src/Domain/settings/SettingsEnvironment.ts"
import { user } from "../fixtures/SettingsUser.ts"

const root = resolve(import.meta.dirname, "../..")
const read = (name: string): string => fs.readFileSync(join(root, name), "utf8")
const exists = (name: string): boolean => fs.existsSync(join(root, name))
const lineCount = (name: string): number => read(name).trimEnd().split("\n").length

const filesBelow = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name))

/** What users read. */
const manual = ["README.md", ...filesBelow("docs").filter((name) => name.endsWith(".md"))]

const documents = [
  ...manual,
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "bench/README.md",
  ...filesBelow("src").filter((name) => name.endsWith(".md"))
]

/** Whether a name stands in a text, not only as a part of a longer one. */
const isNamed = (text: string, name: string): boolean =>
  new RegExp(`(?<![\\w.-])${name.replaceAll(".", "\\.")}(?![\\w-])`).test(text)

/** The first group of every match. */
const all = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? "")

describe("the manual", () => {
  it("has a README that is read in two minutes: at most 150 lines", () => {
    assert.isAtMost(lineCount("README.md"), 150)
  })

  it("names every command, option, environment variable and setting", () => {
    const text = manual.map(read).join("\n")
    const wanted = [
      ...verbs.map((verb) => `autopilotd ${verb}`),
      ...Object.values(optionTable).map((option) => `--${option.long}`),
      ...settingKeys().map(({ key }) => key),
      ...settingVariables.map(({ name }) => name),
      workerBinaryVariable,
      "AUTOPILOT_HOME",
      "NO_COLOR"
    ]
    assert.deepStrictEqual(
      wanted.filter((name) => !isNamed(text, name)),
      []
    )
  })

  it("names each of its pages in its index", () => {
    const index = read("docs/README.md")
    const pages = manual.flatMap((name) => all(name, /^docs\/(.+)$/g)).filter((name) => name !== "README.md")
    assert.deepStrictEqual(
      pages.filter((name) => !index.includes(`](${name})`)),
      []
    )
  })

  it("installs no package that its commands have not brought there", () => {
    const installing = manual.flatMap((name) =>
      all(read(name), /^```sh\n([^]*?)^```$/gm)
        .filter((block) => block.includes("npm install --global ./"))
        .map((block) => ({ name, isThere: /npm pack|^scp /m.test(block) }))
    )
    assert.isAbove(installing.length, 2)
    assert.deepStrictEqual(
      installing.filter(({ isThere }) => !isThere),
      []
    )
  })

  it("asks nobody to delete a file by hand, but the whole home for good", () => {
    assert.deepStrictEqual(
      manual.flatMap((name) =>
        all(read(name), /^(.*\brm (?:-\w+ )?[~$/].*)$/gm).map((line) => `${name}: ${line}`)
      ),
      [
        "docs/upgrade.md: rm -r ~/.autopilot                        # settings, history, logs and the env file"
      ]
    )
  })

  const examples = [
    ...manual.flatMap((name) =>
      all(read(name), /^```toml\n(.*?)^```$/gms).map((toml, at) => ({
        name: `${name}, block ${at + 1}`,
        toml
      }))
    ),
    { name: "examples/demo.toml", toml: read("examples/demo.toml") }
  ]

  for (const { name, toml } of examples) {
    it.scoped(`shows settings that can be used as they stand: ${name}`, () =>
      Effect.gen(function* () {
        const { load, write } = yield* user
        yield* write(".autopilot/daemon.toml", toml)
        const { projects } = yield* load()
        for (const { project, worker } of projects) assert.isTrue(Either.isRight(worker), project)
      })
    )
  }
})

describe("ARCHITECTURE.md", () => {
  const text = read("ARCHITECTURE.md")
  const rooms = new Set(
    ["src/Domain", "src/Layers"].flatMap((folder) =>
      fs
        .readdirSync(join(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    )
  )
  const pageOf = (room: string): string =>
    exists(`src/Domain/${room}`) ? `src/Domain/${room}/README.md` : `src/Layers/${room}/README.md`

  it("is one page", () => {
    assert.isAtMost(lineCount("ARCHITECTURE.md"), 132)
  })

  it("has a line for each room, and for no other", () => {
    assert.sameMembers([...all(text, /^\| `([a-z]+)` \|/gm)], [...rooms])
  })

  it("leaves the subjects to the rooms: each has a page of its own, of at most 70 lines", () => {
    assert.deepStrictEqual(
      [...rooms].map(pageOf).filter((page) => !exists(page) || lineCount(page) > 70),
      []
    )
  })

  it("names the files of the rooms as they are called", () => {
    const missing = all(text, /`([a-z]+\/[A-Z]\w+)`/g).filter((name) =>
      ["Domain", "Layers", "Programs"].every((house) => !exists(`src/${house}/${name}.ts`))
    )
    assert.deepStrictEqual(missing, [])
  })

  it("has walks of at most ten steps that enter no room three times", () => {
    const walks = ["A crash", "stop-worker", "Memory low"].map((title) => {
      const section = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? ""
      return { title, steps: all(section, /^\d+\. `([a-z]+)\//gm) }
    })
    for (const { steps, title } of walks) {
      assert.isAbove(steps.length, 5, title)
      assert.isAtMost(steps.length, 10, title)
      assert.deepStrictEqual(
        steps.filter((room) => steps.filter((other) => other === room).length > 2),
        [],
        title
      )
    }
  })
})

describe("docs/original-daemon.md", () => {
  const rows = read("docs/original-daemon.md")
    .split("\n")
    .flatMap((line) => {
      const [, defect, , , tests] = line.split("|").map((cell) => cell.trim())
      return defect !== undefined && /^D\d+$/.test(defect)
        ? [{ defect, tests: all(tests ?? "", /`([^`]+)`/g) }]
        : []
    })
  /** The numbers that stand in parentheses at the end of a title. */
  const numbersIn = (source: string): ReadonlyArray<string> =>
    all(source, /\((?:[^()]*; )?(D\d+(?:, D\d+)*)\)["`]/g).flatMap((numbers) => numbers.split(", "))
  const named = filesBelow("test")
    .filter((name) => name.endsWith(".test.ts"))
    .flatMap((name) =>
      numbersIn(read(name)).map((defect) => `${defect} ${name.replace(/^test\/|\.test\.ts$/g, "")}`)
    )

  it("has a row for each of the 32 defects", () => {
    assert.deepStrictEqual(
      rows.map(({ defect }) => defect),
      Array.from({ length: 32 }, (_, at) => `D${at + 1}`)
    )
  })

  it("names, for each defect, the files with a test that carries its number in its title", () => {
    const inTable = rows.flatMap(({ defect, tests }) => tests.map((test) => `${defect} ${test}`))
    assert.deepStrictEqual(inTable.toSorted(), [...new Set(named)].toSorted())
    assert.deepStrictEqual(
      rows.filter(({ tests }) => tests.length === 0),
      []
    )
  })
})

describe("the documents", () => {
  const scripts = Object.keys(JSON.parse(read("package.json")).scripts)

  for (const name of documents) {
    it(`${name} names only scripts and files that exist`, () => {
      const text = read(name)
      const links = all(text, /\]\((?!https?:|#)([^)#\s]+)/g).map((link) =>
        relative(root, resolve(root, dirname(name), link))
      )
      const files = all(text, /`((?:src|test|bench|docs|systemd|examples|scripts|bin)\/[\w./-]+\.\w+)`/g)
      assert.deepStrictEqual(
        [...links, ...files].filter((path) => !exists(path)),
        []
      )
      assert.deepStrictEqual(
        all(text, /\bnpm run ([\w:-]+)/g).filter((script) => !scripts.includes(script)),
        []
      )
    })
  }
})
