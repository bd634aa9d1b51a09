// Other releases of Node: installed once into a cache folder, from the packages that npm's own `node` package consists of.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { shellEnvironment } from "./Session.mjs"

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "autopilotd-tests")

/** The newest one of a major release: { name, path }, or { name, absent } with the reason. */
const nodeOf = (major) => {
  const name = `Node ${major}`
  const architecture = { x64: "x64", arm64: "arm64" }[process.arch]
  if (architecture === undefined) return { name, absent: `npm has none for ${process.arch}` }
  const folder = join(cache, `node-${major}`)
  const path = join(folder, `node_modules/node-linux-${architecture}/bin/node`)
  if (!existsSync(path)) {
    console.error(`Installing ${name} into ${folder} ...`)
    mkdirSync(folder, { recursive: true })
    const words = [
      "install",
      "--prefix",
      folder,
      `node-linux-${architecture}@${major}`,
      "--no-audit",
      "--no-fund"
    ]
    const options = { cwd: folder, env: shellEnvironment, encoding: "utf8", timeout: 180_000 }
    const { error, status, stderr } = spawnSync("npm", words, options)
    if (status !== 0) return { name, absent: error?.message ?? stderr.trim().split("\n").at(0) }
  }
  const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8" })
  return status === 0 ? { name: `Node ${stdout.trim()}`, path } : { name, absent: `${path} does not run` }
}

/** This Node, and the newest one of each other major release that autopilotd supports. */
export const supportedNodes = () => {
  const own = Number(process.versions.node.split(".")[0])
  return [
    { name: `Node ${process.version}`, path: process.execPath },
    ...[20, 22, 24].filter((major) => major !== own).map(nodeOf)
  ]
}
