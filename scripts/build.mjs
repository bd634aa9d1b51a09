// Builds dist/autopilotd.js, the one file that ships and that the live tests run, and the notices that ship beside it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { notices } from "./notices.mjs"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const { metafile, outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ["src/Programs/main.ts"],
  outfile: "dist/autopilotd.js",
  write: false,
  metafile: true,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  // Names stay: a bug report shows them in its stack trace. Short names with the long ones kept beside them (keepNames)
  // would cost 256 bytes for each closure made at run time.
  minifyWhitespace: true,
  minifySyntax: true,
  // The licences stand in THIRD-PARTY-NOTICES.txt.
  legalComments: "none",
  define: { AUTOPILOTD_VERSION: JSON.stringify(version) },
  // Some dependencies are CommonJS and call require for Node's own modules.
  banner: {
    js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);'
  },
  logLevel: "warning"
}).catch(() => {
  // esbuild has printed the errors with their places.
  process.exit(1)
})

/** Replaces a file in one step, so that a start during a build runs the old bundle or the new one, never a half. */
const replace = (path, contents) => {
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, contents)
  renameSync(unfinished, path)
}

const dist = join(root, "dist")
mkdirSync(dist, { recursive: true })
replace(join(dist, "THIRD-PARTY-NOTICES.txt"), notices(root, metafile))
for (const { contents, path } of outputFiles) replace(path, contents)
