// Builds what ships and what the live tests run into dist: the programs, what the browser loads, and the notices of the
// bundled packages.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { page, programs, root } from "./bundles.mjs"
import { notices } from "./notices.mjs"

const [forNode, forBrowser] = await Promise.all([programs(), page()])

/** Libraries and fonts of the page, as they are published: of each font the Latin part, in all weights. */
const copies = {
  "dist/panel/inter.woff2": "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  "dist/panel/mono.woff2":
    "node_modules/@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
  "dist/panel/htmx.js": "node_modules/htmx.org/dist/htmx.min.js",
  "dist/panel/ws.js": "node_modules/htmx-ext-ws/dist/ws.min.js"
}

/** Replaces a file in one step, so that a start during a build runs the old file or the new one, never a half. */
const replace = (path, contents) => {
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, contents)
  renameSync(unfinished, path)
}

mkdirSync(join(root, "dist/panel"), { recursive: true })
const files = forNode.flatMap((built) => built.files)
for (const { path, text } of files) replace(join(root, path), text)
for (const { contents, path } of forBrowser.outputFiles) replace(path, contents)
for (const [to, from] of Object.entries(copies)) replace(join(root, to), readFileSync(join(root, from)))
// The package says "module", for its sources.
replace(join(root, "dist/package.json"), '{ "type": "commonjs" }\n')
replace(
  join(root, "dist/THIRD-PARTY-NOTICES.txt"),
  notices(
    root,
    [...forNode, forBrowser].map(({ metafile }) => metafile),
    Object.values(copies)
  )
)
// A program of an earlier build would ship.
const built = new Set(files.map(({ path }) => basename(path)))
for (const name of readdirSync(join(root, "dist")))
  if (name.endsWith(".js") && !built.has(name)) rmSync(join(root, "dist", name))
