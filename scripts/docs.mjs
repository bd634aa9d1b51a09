// Writes the files that are generated from the tables in src/Domain; with --check it only compares them, for CI.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

// Node 20 cannot import TypeScript, so the texts come from a bundle in memory.
const { outputFiles } = await build({
  entryPoints: [join(root, "src/Programs/cli/GeneratedFiles.ts")],
  write: false,
  bundle: true,
  platform: "node",
  format: "esm",
  define: { AUTOPILOTD_VERSION: JSON.stringify(version) },
  logLevel: "warning"
})
const code = Buffer.from(outputFiles[0].contents).toString("base64")
const { generatedFiles } = await import(`data:text/javascript;base64,${code}`)

const current = (path) => {
  try {
    return readFileSync(join(root, path), "utf8")
  } catch {
    return undefined
  }
}
const stale = generatedFiles.filter(([path, text]) => current(path) !== text)

if (process.argv.includes("--check")) {
  for (const [path] of stale)
    process.stderr.write(`${path} differs from its tables in src/Domain: npm run docs\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    process.stdout.write(`${path} written\n`)
  }
}
