// What ships: the programs for Node, and what the browser loads.

import { readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { link } from "./link.mjs"
import { pureDomain } from "./pure.mjs"
import { escaped, rewrite } from "./rewrite.mjs"
import { exportsOf, madeShapes } from "./shapes.mjs"

export const root = join(dirname(fileURLToPath(import.meta.url)), "..")
export const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** Builds without writing. esbuild prints errors with their places. */
const bundle = (options) =>
  build({
    absWorkingDir: root,
    write: false,
    metafile: true,
    bundle: true,
    minify: true,
    // The licences stand in THIRD-PARTY-NOTICES.txt.
    legalComments: "none",
    logLevel: "warning",
    plugins: [madeShapes, pureDomain],
    ...options
  }).catch(() => process.exit(1))

const forNode = {
  platform: "node",
  target: "node20",
  outdir: "dist",
  define: { AUTOPILOTD_VERSION: JSON.stringify(version), "import.meta.dirname": "__dirname" }
}

/** What esbuild wrote, by its path from the root. */
const textsOf = ({ outputFiles }) =>
  new Map(outputFiles.map(({ path, text }) => [relative(root, path), text]))

/** A value as a constant of a bundle: V8 reads a text of JSON when it is asked for, and an object with the bundle. */
const inText = (value) => JSON.stringify(JSON.stringify(value))

let twins

/** What all programs need of the schemas for `--json`: the keys with twins. */
const twinsOnce = () =>
  (twins ??= exportsOf(join(root, "src/Domain/json/TwinKeys.ts")).then(({ twinKeys }) => ({
    AUTOPILOTD_TWIN_KEYS: inText(twinKeys)
  })))

/** What a bundle must not have: characters beyond ASCII, and esbuild's copies of Node's modules, each a quarter of a millisecond. */
const unwanted = /\P{ASCII}|[\w$]+\((?<module>require\("node:[^"]+"\)),1\)/gu

/** A bundle of its own, for what starts before each command or has to be small. */
const aloneOf = (name, entry) => async (sourcemap) => {
  const built = await bundle({
    ...forNode,
    entryPoints: { [name]: entry },
    // Node starts a CommonJS program 5 ms sooner, and require needs none of what import() brings along.
    format: "cjs",
    supported: { "dynamic-import": false },
    sourcemap,
    define: { ...forNode.define, ...(await twinsOnce()) }
  })
  const texts = textsOf(built)
  const path = `dist/${name}.js`
  // One character beyond Latin-1 makes V8 keep the whole text in two bytes a character.
  const { before, text } = rewrite(
    texts.get(path),
    unwanted,
    (match) => match.groups.module ?? escaped(match)
  )
  return { ...built, texts, files: [{ path, text, parts: [{ path, start: 0, before }] }] }
}

/** Programs that share most of their code. */
const together = {
  daemon: "src/Programs/daemon/Serve.ts",
  program: "src/Programs/Program.ts",
  panel: "src/Programs/panel/Gui.ts",
  top: "src/Programs/status/Top.ts",
  notify: "src/Programs/notify/NotifyCommands.ts",
  fleet: "src/Programs/fleet/FleetCommands.ts",
  relay: "src/Programs/relay/Relay.ts",
  elsewhere: "src/Programs/relay/RelayElsewhere.ts"
}

/**
 * Modules that stand apart: esbuild puts what the same programs can reach into one chunk, and Schema, which the daemon does not
 * need, would come along with these.
 */
const apart = { dateTime: "effect/DateTime", struct: "effect/Struct" }

/** They run all night, beside each other. */
const resident = ["daemon", "relay"]

const split = async (sourcemap) => {
  const built = await bundle({
    ...forNode,
    entryPoints: { ...together, ...apart },
    format: "esm",
    splitting: true,
    sourcemap,
    define: { ...forNode.define, ...(await twinsOnce()) }
  })
  const texts = textsOf(built)
  return { ...built, texts, files: link(built.metafile.outputs, texts, Object.keys(together), resident) }
}

/**
 * The programs for Node: their `files`, the `texts` that esbuild wrote, and its `metafile`. With `sourcemap: "external"`
 * the texts have a source map each, and the files are the same.
 */
export const programs = (sourcemap = false) =>
  Promise.all(
    [
      // What starts first is small: it knows the command line, and loads what a command needs.
      aloneOf("autopilotd", "src/Programs/main.ts"),
      aloneOf("status", "src/Programs/cli/StatusRoad.ts"),
      aloneOf("quick", "src/Programs/cli/TalkRoad.ts"),
      aloneOf("history", "src/Programs/history/HistoryRoad.ts"),
      aloneOf("logs", "src/Programs/logs/LogsRoad.ts"),
      aloneOf("settings", "src/Programs/config/SettingsRoad.ts"),
      aloneOf("help", "src/Domain/cli/Help.ts"),
      aloneOf("load", "src/Layers/daemon/CompiledProgram.ts"),
      aloneOf("dial", "src/Programs/control/DialStdio.ts"),
      aloneOf("remote", "src/Programs/remote/Remote.ts"),
      aloneOf("metrics", "src/Domain/metrics/MetricsText.ts"),
      split
    ].map((made) => made(sourcemap))
  )

/** What the browser loads. The fonts stand beside the style sheet. */
export const page = () =>
  bundle({
    entryPoints: { app: "src/Browser/app.ts", style: "src/Browser/style.css" },
    outdir: "dist/panel",
    format: "iife",
    target: ["chrome109", "firefox115", "safari16.4"],
    external: ["*.woff2"]
  })
