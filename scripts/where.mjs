// Says where in the sources the places of a stack trace are, which names a bundle with short names:
//   npm run where -- daemon.js:1:12345 ...     each place
//   npm run where < trace.txt                  the text, with its places replaced
// The sources have to be those of the version that the trace is from: check out its tag first.
import { readFileSync } from "node:fs"
import { SourceMap } from "node:module"
import { join } from "node:path"
import { programs, version } from "./bundles.mjs"

const given = process.argv.slice(2)
const text = given.length > 0 ? `${given.join("\n")}\n` : readFileSync(0, "utf8")

const built = await programs("external")
const files = new Map(
  built.flatMap((one) => one.files.map((file) => [file.path, { ...file, texts: one.texts }]))
)

/** The offset of a line (from 1) and a column (from 1), and the way back, counted from 0 as in source maps. */
const offsetOf = (source, line, column) =>
  source.split("\n", line - 1).reduce((sum, { length }) => sum + length + 1, 0) + column - 1
const positionOf = (source, offset) => {
  const lines = source.slice(0, offset).split("\n")
  return [lines.length - 1, lines.at(-1).length]
}

/** `src/Layers/tree/WorkerTree.ts:12`; undefined where no source stands. */
const placeOf = (name, line, column) => {
  const file = files.get(`dist/${name}`)
  if (file === undefined) return undefined
  const offset = offsetOf(file.text, Number(line), Number(column))
  const part = file.parts.findLast(({ start }) => start <= offset)
  if (part === undefined || offset > file.text.length) return undefined
  const map = new SourceMap(JSON.parse(file.texts.get(`${part.path}.map`)))
  const position = positionOf(file.texts.get(part.path), part.before(offset - part.start))
  const { originalLine, originalSource } = map.findEntry(...position)
  return originalSource && `${join("dist", originalSource)}:${originalLine + 1}`
}

const unknown = []
process.stdout.write(
  text.replaceAll(/(?:[\w@.~+-]*\/)*([\w-]+\.js):(\d+):(\d+)/g, (place, name, line, column) => {
    const found = placeOf(name, line, column)
    if (found === undefined && given.length > 0) unknown.push(place)
    return found ?? place
  })
)
process.stderr.write(`The places are those of autopilotd ${version}, as it is checked out here.\n`)
if (unknown.length > 0) {
  process.stderr.write(`No bundle of it has: ${unknown.join(", ")}\n`)
  process.exitCode = 1
}
