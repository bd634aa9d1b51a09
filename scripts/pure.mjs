import { readFile } from "node:fs/promises"
import { transform } from "esbuild"

/** A constant of a module that is no function, as esbuild prints it: only the first line of a statement begins at the margin. */
const constant = /^((?:export )?const \w+ = )((?!function)(?:(?:new )?[\w$.]+\(|[{[])[\s\S]*?);\n(?=\S|$)/gm

/** A class whose parent is made by a call: a tagged error. */
const derived = /^(export )?class (\w+) (extends [\w.]+\([\s\S]*?\n\})$/gm

/** The module with the marks by which esbuild knows what has no effect. */
const marked = async (path) => {
  const options = { loader: "ts", sourcefile: path, sourcemap: "inline" }
  const { code } = await transform(await readFile(path, "utf8"), options)
  const contents = code
    .replace(constant, "$1/* @__PURE__ */ (() => ($2))();\n")
    .replace(derived, "$1const $2 = /* @__PURE__ */ (() => class $2 $3)();")
  return { contents }
}

/** The same for all bundles. */
const modules = new Map()

/**
 * Drops the constants and classes of src/Domain that a bundle does not use. Domain is pure: a call that makes one has no effect
 * beside its value, which esbuild cannot know. Otherwise a bundle that prints an event holds the schemas of all events.
 */
export const pureDomain = {
  name: "pure-domain",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/src\/Domain\/.*\.ts$/ }, ({ path }) => {
      if (!modules.has(path)) modules.set(path, marked(path))
      return modules.get(path)
    })
}
