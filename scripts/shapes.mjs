import { readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { pureDomain } from "./pure.mjs"

const source = join(dirname(fileURLToPath(import.meta.url)), "../src/Domain")

const makesShapes = /\/src\/Domain\/\w+\/\w+Shapes?\.ts$/

/** What the modules export that a build needs, by their paths. Node 20 cannot import TypeScript; one bundle has Effect once. */
const allExports = async () => {
  const paths = readdirSync(source, { recursive: true })
    .map((name) => join(source, name))
    .filter((path) => makesShapes.test(path) || path === join(source, "json/TwinKeys.ts"))
  const contents = paths.map((path, at) => `export * as m${at} from ${JSON.stringify(path)}\n`).join("")
  const options = { bundle: true, format: "esm", platform: "node", write: false, plugins: [pureDomain] }
  const { outputFiles } = await build({ stdin: { contents, resolveDir: source }, ...options })
  const code = Buffer.from(outputFiles[0].contents).toString("base64")
  const modules = await import(`data:text/javascript;base64,${code}`)
  return new Map(paths.map((path, at) => [path, modules[`m${at}`]]))
}

let known

/** What a module of src/Domain exports: one that makes shapes, or TwinKeys. */
export const exportsOf = async (path) => (await (known ??= allExports())).get(path)

const isParent = (value) => typeof value === "object" && value !== null

/** A text that costs more than a name for it, twice. */
const isLong = (value) => typeof value === "string" && value.length > 12

/** A value as the body of a function that returns it. What it has in several places stands once: that is half of a shape. */
const bodyOf = (value) => {
  const places = new Map()
  const count = (one) => {
    if (!isParent(one) && !isLong(one)) return
    const text = JSON.stringify(one)
    const before = places.get(text) ?? 0
    places.set(text, before + 1)
    if (before === 0 && isParent(one)) for (const inner of Object.values(one)) count(inner)
  }
  count(value)
  const constants = new Map()
  const codeOf = (one) => {
    const text = JSON.stringify(one)
    if (!isParent(one) && !isLong(one)) return text
    if (constants.has(text)) return `v${[...constants.keys()].indexOf(text)}`
    const code = isLong(one)
      ? text
      : Array.isArray(one)
        ? `[${one.map(codeOf)}]`
        : `{${Object.entries(one).map(([key, inner]) => `${JSON.stringify(key)}:${codeOf(inner)}`)}}`
    if (places.get(text) === 1) return code
    constants.set(text, code)
    return `v${constants.size - 1}`
  }
  const result = codeOf(value)
  return (
    [...constants.values()].map((code, index) => `const v${index}=${code};`).join("") + `return ${result}`
  )
}

/** The module that returns the same as the functions of a module of src/Domain, each called once. */
const moduleOf = async (path) =>
  Object.entries(await exportsOf(path))
    .map(([name, make]) => `export const ${name} = () => {${bodyOf(make())}}\n`)
    .join("")

const modules = new Map()

/**
 * Puts the shapes that a module makes of schemas into a bundle, in place of the module: the schemas are far larger, and are
 * built at each start.
 */
export const madeShapes = {
  name: "made-shapes",
  setup: ({ onLoad }) =>
    onLoad({ filter: makesShapes }, async ({ path }) => {
      if (!modules.has(path)) modules.set(path, moduleOf(path))
      return { contents: await modules.get(path) }
    })
}
