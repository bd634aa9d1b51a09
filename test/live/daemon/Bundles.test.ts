import { execFile, execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = resolve(import.meta.dirname, "../../..")
const read = (path: string): string => fs.readFileSync(join(root, path), "utf8")

const loads = new Map<string, ReadonlyArray<string>>()

/** The bundles whose text a process has in memory once it has loaded that one. Nothing of it is run. */
const loadedBy = (bundle: string): ReadonlyArray<string> => {
  const known = loads.get(bundle)
  if (known !== undefined) return known
  const script = `
    require(process.argv[1])
    process.stdout.write(JSON.stringify(Object.keys(require.cache)))
    process.exit(0)`
  const dist = join(root, "dist")
  const loaded = execFileSync(process.execPath, ["-e", script, join(dist, bundle)], { encoding: "utf8" })
  const paths: ReadonlyArray<string> = JSON.parse(loaded)
  const names = paths.map((path) => path.slice(dist.length + 1))
  loads.set(bundle, names)
  return names
}

/** Bytes of text that a process reads for this bundle. */
const bytesOf = (bundle: string): number =>
  loadedBy(bundle).reduce((sum, name) => sum + read(`dist/${name}`).length, 0)

/** What the daemon must not hold, each by a text of its own. */
const foreign = {
  "panel.js": "Searched back to here",
  "program.js": "@effect/cli",
  "relay.js": "http.request.method",
  "elsewhere.js": "The outlet ",
  "top.js": "The outlet "
}

describe("the daemon", () => {
  it("holds nothing of the panel, the relays, the web and the commands", () => {
    const held = loadedBy("daemon.js")
    assert.isAbove(held.length, 2)
    for (const [bundle, text] of Object.entries(foreign)) {
      assert.isTrue(
        loadedBy(bundle).some((name) => read(`dist/${name}`).includes(text)),
        `${bundle} has "${text}"`
      )
      assert.deepStrictEqual(
        held.filter((name) => read(`dist/${name}`).includes(text)),
        [],
        text
      )
    }
  })

  it("builds no schema: the build has made tables of those that it reads by", () => {
    const texts = ["effect/annotation/Brand", "effect/Schema/ParseErrorTypeId"]
    const held = (bundle: string) =>
      loadedBy(bundle).filter((name) => texts.some((text) => read(`dist/${name}`).includes(text)))
    assert.deepStrictEqual(held("daemon.js"), [])
    assert.isNotEmpty(held("relay.js"), "the HTTP client of @effect/platform needs them")
  })

  it("holds no streams of Effect: whatever imports one, be it a part of Effect, brings 60 kB", () => {
    const has = (bundle: string) =>
      loadedBy(bundle).some((name) => read(`dist/${name}`).includes("effect/ChannelMergeStrategy"))
    assert.isTrue(has("relay.js"))
    assert.isFalse(has("daemon.js"))
  })

  it("reads at most 0.77 MB of program, its relay 0.55 MB and the commands 1.22 MB", () => {
    assert.isAtMost(bytesOf("daemon.js"), 770_000)
    assert.isAtMost(bytesOf("relay.js"), 550_000)
    assert.isAtMost(bytesOf("program.js"), 1_220_000)
  })
})

describe("every bundle", () => {
  it("takes Node's modules as they are, not as copies with a getter for each name", () => {
    for (const name of fs.readdirSync(join(root, "dist")).filter((one) => one.endsWith(".js")))
      assert.notMatch(read(`dist/${name}`), /\(require\("node:[^"]+"\),1\)/, name)
  })

  it("has the shapes of answers, events and files, and not the schemas that they are made of", () => {
    const all = fs.readdirSync(join(root, "dist")).filter((name) => name.endsWith(".js"))
    for (const [source, text] of [
      ["src/Domain/toml/FormOf.ts", "The settings have a part that no form describes"],
      ["src/Domain/ShapeOf.ts", "A schema has a part that no shape describes"],
      ["src/Domain/status/StatusData.ts", "Failures in a row, which the backoff counts"],
      ["src/Domain/metrics/MetricsData.ts", "Why they were killed"]
    ] as const) {
      assert.include(read(source), text)
      assert.deepStrictEqual(
        all.filter((name) => read(`dist/${name}`).includes(text)),
        [],
        source
      )
    }
  })
})

describe("a program that runs for days", () => {
  for (const bundle of ["daemon.js", "panel.js", "relay.js", "elsewhere.js", "top.js", "program.js"])
    it(`${bundle} reads all of itself at its start: an upgrade meanwhile changes nothing for it`, () => {
      const loaded = loadedBy(bundle)
      const asked = loaded.flatMap((name) =>
        [...read(`dist/${name}`).matchAll(/require\("\.\/([\w-]+\.js)"\)/g)].map((match) => match[1] ?? "")
      )
      assert.isNotEmpty(asked)
      assert.deepStrictEqual(
        asked.filter((name) => !loaded.includes(name)),
        []
      )
    })
})

describe("npm run where", () => {
  /** Texts of the sources, each in another bundle. */
  const relay = "src/Programs/relay/Relay.ts"
  const texts = {
    "src/Layers/panel/PanelServer.ts": "The panel has failed to answer: see its output.",
    "src/Programs/panel/LogRoutes.ts": "Searched back to here",
    [relay]: "The outlet ",
    "src/Layers/relay/Relay.ts": "The relay is no longer supervised for a while",
    "src/Domain/settings/SettingsDecode.ts": "does not go with type = ",
    "src/Layers/daemon/UserHome.ts": "There is no home folder",
    "src/Domain/cli/Dialogues.ts": "Nothing was changed: the previous settings stay in force."
  }
  const bundles = fs.readdirSync(join(root, "dist")).filter((name) => name.endsWith(".js"))

  /** Line and column of a text, from 1. */
  const positionIn = (all: string, text: string): readonly [line: number, column: number] => {
    const lines = all.slice(0, all.indexOf(text)).split("\n")
    return [lines.length, (lines.at(-1)?.length ?? 0) + 1]
  }

  const where = (args: ReadonlyArray<string>, input = "") =>
    new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>(
      (done) => {
        const child = execFile(
          process.execPath,
          [join(root, "scripts/where.mjs"), ...args],
          (_, stdout, stderr) => done({ code: child.exitCode, stdout, stderr })
        )
        child.stdin?.end(input)
      }
    )

  it("leads from a stack trace to the sources", async () => {
    const places = Object.entries(texts).map(([source, text]) => {
      const bundle = bundles.find((name) => read(`dist/${name}`).includes(text))
      assert.isDefined(bundle, text)
      return {
        source: `${source}:${positionIn(read(source), text)[0]}`,
        shipped: `${bundle}:${positionIn(read(`dist/${bundle}`), text).join(":")}`
      }
    })
    const trace = (named: ReadonlyArray<string>): string =>
      [
        "Error: it hangs",
        ...named.map((place) => `    at ab (${place})`),
        "    at node:internal/process/task_queues:95:5\n"
      ].join("\n")
    const told = await where(
      [],
      trace(places.map(({ shipped }) => `/usr/lib/node_modules/autopilotd/dist/${shipped}`))
    )
    assert.deepStrictEqual([told.stdout, told.code], [trace(places.map(({ source }) => source)), 0])
  })

  it("knows places by themselves, and says which one no bundle has", async () => {
    const bundle = bundles.find((name) => read(`dist/${name}`).includes(texts[relay]))
    const place = `${bundle}:${positionIn(read(`dist/${bundle}`), texts[relay]).join(":")}`
    const { code, stderr, stdout } = await where([place, "daemon.js:99999:1"])
    assert.strictEqual(stdout.split("\n")[0], `${relay}:${positionIn(read(relay), texts[relay])[0]}`)
    assert.strictEqual(code, 1)
    assert.include(stderr, "No bundle of it has: daemon.js:99999:1\n")
  })
})
