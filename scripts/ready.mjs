// Makes a checkout ready to run: the right Node, dependencies as locked, a bundle newer than its sources.
// It uses nothing but Node, since on a fresh clone there is nothing else.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const at = (path) => join(root, path)
const modifiedMs = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

const newestBelow = (path) =>
  statSync(path).isDirectory()
    ? Math.max(0, ...readdirSync(path).map((name) => newestBelow(join(path, name))))
    : modifiedMs(path)

const run = (what, command, args) => {
  process.stderr.write(`${what} ...\n`)
  // Standard output stays free for the program that is started next (--json must stay parseable).
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] })
  if (status !== 0) {
    process.stderr.write(`${what} failed${error ? `: ${error.message}` : ""}: see the lines above.\n`)
    process.exit(1)
  }
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `autopilotd needs Node ${JSON.parse(readFileSync(at("package.json"), "utf8")).engines.node}, this is ${process.versions.node}.\n`
  )
  process.exit(1)
}

if (modifiedMs(at("node_modules/.package-lock.json")) < modifiedMs(at("package-lock.json"))) {
  run("Installing what the build needs", "npm", [
    "ci",
    "--include=dev",
    "--no-fund",
    "--no-audit",
    "--loglevel=error"
  ])
  // npm does not touch it when there was nothing to do.
  const now = new Date()
  utimesSync(at("node_modules/.package-lock.json"), now, now)
}
const sources = ["src", "scripts/build.mjs", "package.json"].map((path) => newestBelow(at(path)))
if (modifiedMs(at("dist/autopilotd.js")) <= Math.max(...sources)) {
  run("Building", process.execPath, [at("scripts/build.mjs")])
}
