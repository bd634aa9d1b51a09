import { build } from "esbuild"
import { pureDomain } from "./pure.mjs"

/** What a module of src/Domain exports: Node 20 cannot import TypeScript. */
export const exportsOf = async (path) => {
  const options = { bundle: true, format: "esm", platform: "node", write: false, plugins: [pureDomain] }
  const { outputFiles } = await build({ entryPoints: [path], ...options })
  const code = Buffer.from(outputFiles[0].contents).toString("base64")
  return import(`data:text/javascript;base64,${code}`)
}

/** A value as a constant of a bundle: V8 reads a text of JSON when it is asked for, and an object with the bundle. */
export const inText = (value) => JSON.stringify(JSON.stringify(value))

/** The module that returns the same as the functions of a module of src/Domain, each called once. */
const moduleOf = async (path) =>
  Object.entries(await exportsOf(path))
    .map(([name, make]) => `export const ${name} = () => JSON.parse(${inText(make())})\n`)
    .join("")

const modules = new Map()

/**
 * Puts the shapes that a module makes of schemas into a bundle, in place of the module: the schemas are far larger, and are
 * built at each start.
 */
export const madeShapes = {
  name: "made-shapes",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/src\/Domain\/\w+\/\w+Shapes?\.ts$/ }, async ({ path }) => {
      if (!modules.has(path)) modules.set(path, moduleOf(path))
      return { contents: await modules.get(path) }
    })
}
