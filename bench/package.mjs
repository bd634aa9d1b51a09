// How large is the package, and what of it does each program load?
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
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
    .toSorted((a, b) => b.bytes - a.bytes)
  const kilobytes = (bytes) => (bytes / 1000).toFixed(0)
  printTable(
    `The package: ${filename}, ${entryCount} files.`,
    ["", "kB", "kB compressed", "goal"],
    [
      ["tarball", kilobytes(unpackedSize), kilobytes(size), "<= 1,500 compressed"],
      ["all bundles for Node", kilobytes(bundles.reduce((sum, { bytes }) => sum + bytes, 0)), "", ""],
      ...bundles.map(({ bytes, name }) => [
        `dist/${name}`,
        kilobytes(bytes),
        kilobytes(gzipSync(readFileSync(join(root, "dist", name))).length),
        ""
      ])
    ]
  )
})
