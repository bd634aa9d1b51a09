// Builds what ships and what the live tests run: dist/autopilotd.js with dist/daemon.js, dist/program.js and dist/help.js, the panel (dist/panel.js and what the browser loads),
// and the notices of the bundled packages.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { notices } from "./notices.mjs"
import { pureDomain } from "./pure.mjs"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** Builds a bundle without writing it. esbuild prints errors with their places. */
const bundle = (options) =>
  build({
    absWorkingDir: root,
    write: false,
    metafile: true,
    bundle: true,
    minifyWhitespace: true,
    minifySyntax: true,
    // The licences stand in THIRD-PARTY-NOTICES.txt.
    legalComments: "none",
    logLevel: "warning",
    plugins: [pureDomain],
    ...options
  }).catch(() => process.exit(1))

/**
 * One character beyond Latin-1 makes V8 keep the whole text of a program in two bytes a character, which costs an idle daemon
 * megabytes. esbuild leaves those in regular expressions as they are.
 */
const asciiOf = (text) =>
  text.replace(/\P{ASCII}/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join("")
  )

const inAscii = ({ outputFiles, ...built }) => ({
  ...built,
  outputFiles: outputFiles.map(({ path, text }) => ({ path, contents: asciiOf(text) }))
})

/**
 * A program for Node. Names stay: a bug report shows them in its stack trace. Short names with the long ones kept beside
 * them (keepNames) would cost 256 bytes for each closure made at run time.
 */
const program = async (entry, outfile, options = {}) =>
  inAscii(
    await bundle({
      entryPoints: [entry],
      outfile,
      platform: "node",
      target: "node20",
      // Node starts a CommonJS program 5 ms sooner, and require needs none of what import() brings along.
      format: "cjs",
      supported: { "dynamic-import": false },
      ...options,
      define: {
        AUTOPILOTD_VERSION: JSON.stringify(version),
        "import.meta.dirname": "__dirname",
        ...options.define
      }
    })
  )

/** What a module of src/Domain exports: Node 20 cannot import TypeScript. */
const exportsOf = async (entry) => {
  const { outputFiles } = await bundle({ entryPoints: [entry], platform: "node", format: "esm" })
  const code = Buffer.from(outputFiles[0].contents).toString("base64")
  return import(`data:text/javascript;base64,${code}`)
}

/** What the quick commands need of the schemas, which are far larger than they: the shapes of answers and events, the keys with twins. */
const [{ replyShapes }, { twinKeys }, { recordShapes }] = await Promise.all(
  ["control/ReplyShapes.ts", "json/TwinKeys.ts", "history/HistoryRecord.ts"].map((path) =>
    exportsOf(`src/Domain/${path}`)
  )
)

const builds = await Promise.all([
  // What starts first is small: it runs the quick commands, and loads the rest for all others.
  program("src/Programs/main.ts", "dist/autopilotd.js", {
    minify: true,
    define: {
      AUTOPILOTD_REPLY_SHAPES: JSON.stringify(replyShapes()),
      AUTOPILOTD_TWIN_KEYS: JSON.stringify(twinKeys)
    }
  }),
  program("src/Programs/history/HistoryRoad.ts", "dist/history.js", {
    minify: true,
    define: { AUTOPILOTD_RECORD_SHAPES: JSON.stringify(recordShapes()) }
  }),
  program("src/Domain/cli/Help.ts", "dist/help.js", { minify: true }),
  program("src/Programs/daemon/Serve.ts", "dist/daemon.js"),
  program("src/Programs/control/DialStdio.ts", "dist/dial.js", { minify: true }),
  program("src/Programs/Program.ts", "dist/program.js"),
  // The panel is a bundle of its own, so that the daemon does not load a web server.
  program("src/Programs/panel/Gui.ts", "dist/panel.js"),
  program("src/Programs/status/Top.ts", "dist/top.js"),
  program("src/Programs/notify/NotifyCommands.ts", "dist/notify.js"),
  // It starts before each command with --host.
  program("src/Programs/remote/Remote.ts", "dist/remote.js", { minify: true }),
  program("src/Programs/fleet/FleetCommands.ts", "dist/fleet.js"),
  program("src/Domain/metrics/MetricsText.ts", "dist/metrics.js", { minify: true }),
  // It runs beside the daemon all night: short names save 4 MiB of it.
  program("src/Programs/relay/Relay.ts", "dist/relay.js", { minify: true }),
  // The same with what reaches another machine, which the relay of a daemon must not hold.
  program("src/Programs/relay/RelayElsewhere.ts", "dist/elsewhere.js", { minify: true }),
  // What the browser loads. The fonts stand beside the style sheet.
  bundle({
    entryPoints: { app: "src/Browser/app.ts", style: "src/Browser/style.css" },
    outdir: "dist/panel",
    format: "iife",
    target: ["chrome109", "firefox115", "safari16.4"],
    minify: true,
    external: ["*.woff2"]
  })
])

/** Libraries and fonts of the page, as they are published: of each font the Latin part, in all weights. */
const copies = {
  "dist/panel/inter.woff2": "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  "dist/panel/mono.woff2":
    "node_modules/@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
  "dist/panel/htmx.js": "node_modules/htmx.org/dist/htmx.min.js",
  "dist/panel/ws.js": "node_modules/htmx-ext-ws/dist/ws.min.js"
}

/** Replaces a file in one step, so that a start during a build runs the old bundle or the new one, never a half. */
const replace = (path, contents) => {
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, contents)
  renameSync(unfinished, path)
}

mkdirSync(join(root, "dist/panel"), { recursive: true })
for (const { contents, path } of builds.flatMap(({ outputFiles }) => outputFiles)) replace(path, contents)
for (const [to, from] of Object.entries(copies)) replace(join(root, to), readFileSync(join(root, from)))
// The package says "module", for its sources.
replace(join(root, "dist/package.json"), '{ "type": "commonjs" }\n')
replace(
  join(root, "dist/THIRD-PARTY-NOTICES.txt"),
  notices(
    root,
    builds.map(({ metafile }) => metafile),
    Object.values(copies)
  )
)
