import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { build } from "esbuild"
import { fullPage } from "../../../src/Domain/panel/Shell.ts"

const root = resolve(import.meta.dirname, "../../..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

interface LockedPackage {
  readonly resolved?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

describe("the lock file", () => {
  const packages: Readonly<Record<string, LockedPackage>> = JSON.parse(read("package-lock.json")).packages

  // npm leaves out the packages of other platforms when it writes the file with node_modules in place: `npm ci` then
  // fails on every machine but that one (https://github.com/npm/cli/issues/4828).
  it("holds the packages of every platform, so that npm ci works on each", () => {
    const optional = Object.entries(packages).flatMap(([folder, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).map((name) => ({ folder, name }))
    )
    for (const owner of ["esbuild", "@biomejs/biome", "oxlint", "rollup"]) {
      assert.isAbove(optional.filter(({ folder }) => folder === `node_modules/${owner}`).length, 5, owner)
    }
    assert.deepStrictEqual(
      optional.filter(
        ({ folder, name }) =>
          !(`node_modules/${name}` in packages) && !(`${folder}/node_modules/${name}` in packages)
      ),
      []
    )
  })

  it("names no registry, so that npm ci fetches from the one that the user has set", () => {
    const fetched = Object.values(packages).flatMap(({ resolved }) => resolved ?? [])
    assert.deepStrictEqual(fetched, ["tools"])
  })
})

describe("the bundled packages", () => {
  /** Packages whose files the build copies for the browser. */
  const copied = [
    "@fontsource-variable/inter",
    "@fontsource-variable/jetbrains-mono",
    "htmx-ext-ws",
    "htmx.org"
  ]
  let bundled: ReadonlyArray<string> = []

  beforeAll(async () => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [
        "src/Programs/main.ts",
        "src/Programs/daemon/Serve.ts",
        "src/Programs/Program.ts",
        "src/Programs/panel/Gui.ts"
      ],
      outdir: "dist",
      bundle: true,
      platform: "node",
      format: "esm",
      minifySyntax: true,
      write: false,
      metafile: true,
      logLevel: "silent"
    })
    const paths = Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.keys(inputs).filter((path) => inputs[path]?.bytesInOutput !== 0)
    )
    const names = paths.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])
    bundled = [...new Set([...names, ...copied])].toSorted()
  }, 60_000)

  it("stand in the notices, each with its version, licence and licence text", () => {
    const sections = read("dist/THIRD-PARTY-NOTICES.txt")
      .split(`\n${"-".repeat(80)}\n\n`)
      .slice(1)
    assert.deepStrictEqual(
      sections.map((section) => section.split("\n")[0]),
      bundled.map((name) => {
        const { license = "0BSD", version } = JSON.parse(read(`node_modules/${name}/package.json`))
        return `${name} ${version}, ${license}`
      })
    )
    for (const section of sections) {
      assert.match(
        section,
        /(copyright|zero-clause bsd)[^]*(permission (is hereby granted|to use)|redistribution and use|apache license)/i
      )
    }
  })

  it("are, with esbuild, all that the build installs; other tools belong to tools/package.json", () => {
    const { dependencies, devDependencies } = JSON.parse(read("package.json"))
    assert.isUndefined(dependencies, "an installation would fetch them, though the bundle holds them")
    assert.deepStrictEqual(
      Object.keys(devDependencies).filter((name) => name !== "esbuild" && !bundled.includes(name)),
      []
    )
  })
})

describe("the web panel", () => {
  it("loads in a moment: at most 10 kB of own code, and without fonts 100 kB in all", async () => {
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: { app: "src/Browser/app.ts", style: "src/Browser/style.css" },
      outdir: "dist/panel",
      bundle: true,
      format: "iife",
      target: ["chrome109", "firefox115", "safari16.4"],
      minify: true,
      external: ["*.woff2"],
      legalComments: "none",
      write: false
    })
    const app = outputFiles.find(({ path }) => path.endsWith("app.js"))
    assert.isAtMost(app?.contents.length ?? Number.POSITIVE_INFINITY, 10_000)
    const texts = [
      fullPage((name) => `/assets/aaaaaaaaaaaa/${name}`).text,
      read("node_modules/htmx.org/dist/htmx.min.js"),
      read("node_modules/htmx-ext-ws/dist/ws.min.js"),
      ...outputFiles.map(({ text }) => text)
    ]
    const gzipped = texts.map((text) => gzipSync(text).length)
    assert.isBelow(
      gzipped.reduce((sum, bytes) => sum + bytes, 0),
      100_000
    )
  }, 60_000)
})
