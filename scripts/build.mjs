// Makes dist/autopilotd.js: the one file that ships, runs, and is what the command-line tests run.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const outfile = join(root, "dist/autopilotd.js")

const { outputFiles } = await build({
  entryPoints: [join(root, "src/Programs/main.ts")],
  outfile,
  write: false,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  // Names stay, for they are what a cause's stack trace shows in a bug report. To shorten them and keep the long ones
  // beside (keepNames) would cost each closure that is made at run time 256 bytes.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  define: { AUTOPILOTD_VERSION: JSON.stringify(version) },
  // Some dependencies are CommonJS and call require for node's own modules.
  banner: {
    js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);'
  },
  logLevel: "warning"
}).catch(() => {
  // esbuild has told what is wrong, and where.
  process.exit(1)
})

// Whoever starts the bundle meanwhile gets the old one or the new one, never a half.
mkdirSync(dirname(outfile), { recursive: true })
const unfinished = `${outfile}.${process.pid}`
for (const { contents } of outputFiles) writeFileSync(unfinished, contents)
renameSync(unfinished, outfile)
