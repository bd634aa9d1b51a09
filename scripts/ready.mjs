// Makes a checkout ready to run, with nothing but Node and npm, for a fresh clone has nothing else.
//   node scripts/ready.mjs         builds the bundle if a source is newer, and installs only what the build needs
//   node scripts/ready.mjs tools   installs every package, for tests and checks
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const at = (path) => join(root, path)
const modifiedMs = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

const newestBelow = (path) =>
  statSync(path).isDirectory()
    ? Math.max(0, ...readdirSync(path).map((name) => newestBelow(join(path, name))))
    : modifiedMs(path)

const fail = (sentence) => {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

const run = (activity, command, args) => {
  process.stderr.write(`${activity} ...\n`)
  // Standard output stays free for the program that is started next (--json must stay parseable).
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] })
  if (error?.code === "ENOENT")
    fail(`${activity} failed: ${command} is not on PATH. Install it, or add its folder to PATH.`)
  if (status !== 0) fail(`${activity} failed: see the lines above.`)
}

/**
 * The packages fall into two groups. The root's devDependencies are what the build needs. Those of the workspace
 * `tools` are for tests and checks and weigh twice as much; --workspaces=false leaves them out. Packages that Effect's
 * packages name only as peers are not bundled: --omit=peer leaves them out, and package.json names those that are.
 */
const install = (withTools) => {
  const [activity, selection] = withTools
    ? ["Installing the packages of tests and checks", []]
    : ["Installing the build's packages", ["--workspaces=false", "--omit=peer"]]
  run(activity, "npm", [
    "ci",
    "--include=dev",
    ...selection,
    // No package needs its install script here, so none runs. allowScripts in package.json says the same to a plain npm ci.
    "--ignore-scripts",
    "--no-fund",
    "--no-audit",
    "--loglevel=error"
  ])
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`autopilotd needs Node 20.19 or newer; this is Node ${process.versions.node}.`)
}

const sources = ["src", "scripts", "package.json", "package-lock.json", "tsconfig.json"]
const isBuilt =
  modifiedMs(at("dist/autopilotd.js")) > Math.max(...sources.map((path) => newestBelow(at(path))))
const needsTools = process.argv[2] === "tools"
// npm links a workspace into node_modules, so the link is there once the tools are. They stay once they are there.
const hasTools = existsSync(at("node_modules/autopilotd-tools"))
const installed = at("node_modules/.package-lock.json")
const isInstalled = modifiedMs(installed) >= modifiedMs(at("package-lock.json")) && (hasTools || !needsTools)

if (!isInstalled && (needsTools || !isBuilt)) install(needsTools || hasTools)
if (!needsTools && !isBuilt) run("Building", process.execPath, [at("scripts/build.mjs")])
