// Collects the licence texts of the bundled packages: each licence demands that its text goes with every copy.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** The folders of the packages that ship code, sorted by name: from esbuild's metafiles, and of files that are copied. */
const bundledPackages = (metafiles, copied) => {
  const inputs = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((output) => Object.entries(output.inputs))
  )
  const paths = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)
  const folders = [...paths, ...copied].flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []
  )
  return [...new Set(folders)].toSorted()
}

/** The licences of packages whose package.json does not name one; their text stands in the package. */
const unnamed = { "htmx-ext-ws": "0BSD" }

/** The text of one package. Throws an Error when the package names no licence or holds no licence text. */
const notice = (folder) => {
  const {
    name,
    version,
    license = unnamed[name]
  } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry))
  if (typeof license !== "string" || file === undefined) {
    throw new Error(
      `${name} is bundled, but its package holds no licence text. Replace it by another package.`
    )
  }
  return `${name} ${version}, ${license}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`
}

/** The text of THIRD-PARTY-NOTICES.txt; root is the folder that the paths start from. */
export const notices = (root, metafiles, copied) =>
  [
    "autopilotd contains code of the packages below, under their licences.\n",
    ...bundledPackages(metafiles, copied).map((folder) => notice(join(root, folder)))
  ].join(`\n${"-".repeat(80)}\n\n`)
