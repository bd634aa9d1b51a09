// Makes dist/autopilotd.js: the one file that ships, runs, and is what the command-line tests run.
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

await build({
  entryPoints: [join(root, "src/Programs/main.ts")],
  outfile: join(root, "dist/autopilotd.js"),
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  minify: true,
  // Function names are what a cause's stack trace shows in a bug report.
  keepNames: true,
  legalComments: "none",
  define: { AUTOPILOTD_VERSION: JSON.stringify(version) },
  // Some dependencies are CommonJS and call require for node's own modules.
  banner: {
    js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);'
  },
  logLevel: "warning"
})
