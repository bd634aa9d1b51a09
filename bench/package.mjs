// How large is the package, and what of it does each program load?
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { printTable } from "./kit/Figures.mjs"
import { session, shellEnvironment } from "./kit/Session.mjs"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")

await session(300_000, async ({ folder }) => {
  const { status, stderr, stdout } = spawnSync("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: root,
    env: shellEnvironment,
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(stderr)
  const [{ entryCount, filename, size, unpackedSize }] = JSON.parse(stdout.slice(stdout.indexOf("[")))
  const bundles = readdirSync(join(root, "dist"))
    .filter((name) => /\.[cm]?js$/.test(name))
    .map((name) => ({ name, bytes: statSync(join(root, "dist", name)).size }))
  const sizeOf = new Map(bundles.map(({ bytes, name }) => [name, bytes]))
  const sum = (names) => [...new Set(names)].reduce((total, name) => total + sizeOf.get(name), 0)
  const kilobytes = (bytes) => (bytes / 1000).toFixed(0)
  /** What a program reads: its own file, and those that it shares. It is loaded, and does nothing. */
  const filesOf = (name) => {
    const script = `require(process.argv[1])
      process.stdout.write(JSON.stringify(Object.keys(require.cache)))
      process.exit(0)`
    const loaded = spawnSync(process.execPath, ["-e", script, join(root, "dist", name)], {
      env: shellEnvironment,
      encoding: "utf8"
    })
    return JSON.parse(loaded.stdout).map((path) => basename(path))
  }
  const rowOf = (what, files, goal = "") => {
    const text = Buffer.concat([...new Set(files)].map((file) => readFileSync(join(root, "dist", file))))
    return [what, kilobytes(sum(files)), kilobytes(gzipSync(text).length), goal]
  }
  const reads = (what, names, goal) => rowOf(what, names.flatMap(filesOf), goal)
  printTable(
    `The package: ${filename}, ${entryCount} files.`,
    ["", "kB", "kB compressed", "goal"],
    [
      ["tarball", kilobytes(unpackedSize), kilobytes(size), "<= 1,500 compressed"],
      ["all bundles for Node", kilobytes(sum(sizeOf.keys())), "", ""],
      rowOf("read by status", ["autopilotd.js", "status.js"], "<= 60"),
      reads("read by the daemon", ["daemon.js"]),
      reads("read by the other commands", ["program.js"]),
      reads("daemon and commands together", ["daemon.js", "program.js"], "<= 750"),
      reads("read by a relay", ["relay.js"]),
      reads("read by the panel", ["panel.js"])
    ]
  )
})
