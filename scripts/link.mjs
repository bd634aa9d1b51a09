// Joins the chunks that esbuild splits programs into, so that what several programs need ships once. esbuild splits ES
// modules only, and into 200 files; Node starts CommonJS 5 ms sooner, and each file takes a fifth of a millisecond.
import { basename, dirname } from "node:path"
import { compileFunction } from "node:vm"
import { escaped, rewrite } from "./rewrite.mjs"

/**
 * V8 compiles a file in one piece. glibc rarely gives back what that takes: with all in one file, an idle daemon holds
 * 12 MiB for it.
 */
const fileCharacters = 200_000

/** A chunk is evaluated when it is first asked for, as a module is. */
const runtime = `"use strict";
const once=run=>{let made;return()=>{if(run){made=run();run=undefined}return made}};
const later=async path=>require(path);
`

/** What a chunk has of the syntax of modules, as esbuild writes it, and characters beyond ASCII. */
const syntax = new RegExp(
  [
    /import(?:\*as (?<all>[\w$]+) |\{(?<names>[^}]*)\}| (?<only>[\w$]+) )?(?:from)?"(?<from>[^"]+)";/,
    /export\{(?<out>[^}]*)\};?/,
    /\bimport\("(?<chunk>\.\/[^"]+)"\)/,
    /(?<later>\bimport)(?=\()/,
    /\P{ASCII}/u
  ]
    .map(({ source }) => source)
    .join("|"),
  "gu"
)

/** The names of `{a as b}`, for an object pattern: `{a:b}`; or turned, for an object of exports: `{b:a}`. */
const named = (names, isTurned) =>
  `{${names
    .split(",")
    .map((name) => name.split(" as "))
    .map(([from, to = from]) => (isTurned ? `${to}:${from}` : `${from}:${to}`))
    .join(",")}}`

/**
 * The body of a function that returns what a chunk exports. `reach` is the expression that another chunk is had by; undefined for
 * one that is left out.
 */
const bodyOf = (chunk, reach) =>
  rewrite(chunk, syntax, (match) => {
    const { all, chunk: lazy, from, later, names, only, out } = match.groups
    if (out !== undefined) return `return${named(out, true)};`
    if (lazy !== undefined) return `Promise.resolve().then(()=>${reach(lazy)})`
    if (later !== undefined) return "later"
    if (from === undefined) return escaped(match)
    const module = from.startsWith("./") ? reach(from) : `require(${JSON.stringify(from)})`
    if (module === undefined) return ""
    const target = all ?? only ?? (names && named(names, false))
    return target === undefined ? `${module};` : `const ${target}=${module};`
  })

/**
 * The chunks of which one takes nothing. esbuild has a program evaluate all that its modules name, though only another program
 * needs it. To evaluate a module of Effect has no effect, as its package says.
 */
const leftOut = (path, text, outputs) =>
  new Set(
    [...text.matchAll(/import"(\.\/[^"]+)";/g)]
      .map(([, from]) => `${dirname(path)}/${from.slice(2)}`)
      .filter((other) => Object.keys(outputs[other].inputs).every((name) => name.includes("/effect/dist/")))
  )

/** The chunks, each with the programs that use it, and whether one does from its start on. A program is no chunk of another. */
const chunksOf = (outputs, texts, programs) => {
  const chunks = Object.entries(outputs).flatMap(([path, { entryPoint, imports, inputs }]) => {
    // The others are source maps.
    if (!path.endsWith(".js")) return []
    const name = basename(path, ".js")
    const program = programs.includes(name) ? name : undefined
    // The name of a chunk changes with the folder of the checkout: the first of its modules is the same everywhere. esbuild's own
    // helpers have none, and stand first.
    const key = entryPoint ?? Object.keys(inputs).toSorted()[0] ?? ""
    const text = texts.get(path)
    const without = leftOut(path, text, outputs)
    const needs = imports.filter(({ external, path: other }) => external !== true && !without.has(other))
    return [{ path, text, without, program, key, needs, users: new Set(), starters: new Set() }]
  })
  const byPath = new Map(chunks.map((chunk) => [chunk.path, chunk]))
  const visit = (chunk, user, isAtStart) => {
    const seen = isAtStart ? chunk.starters : chunk.users
    if (seen.has(user) || (chunk.program ?? user) !== user) return
    chunk.users.add(user)
    seen.add(user)
    for (const { kind, path } of chunk.needs)
      visit(byPath.get(path), user, isAtStart && kind !== "dynamic-import")
  }
  for (const chunk of chunks) if (chunk.program !== undefined) visit(chunk, chunk.program, true)
  // Without a user: an entry that keeps its modules apart.
  return chunks.filter(({ users }) => users.size > 0).toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/**
 * The files of programs that esbuild has split: each program's own, and those of what several share. A program that is
 * `resident` stays in memory, so what it does not need stands in other files. `outputs` are those of the metafile, `texts`
 * their contents by path. The `parts` of a file say where its chunks stand, and `before` how to get from there to the chunk
 * as esbuild wrote it.
 */
export const link = (outputs, texts, programs, resident) => {
  const chunks = chunksOf(outputs, texts, programs)
  const sizes = new Map()
  for (const [index, chunk] of chunks.entries()) {
    const [user, ...others] = chunk.users
    const group =
      others.length === 0 ? user : ["shared", ...resident.filter((name) => chunk.users.has(name))].join("-")
    chunk.id = chunk.program ?? `$${index.toString(36)}`
    const before = sizes.get(group) ?? 0
    const number = chunk.program === undefined ? Math.floor(before / fileCharacters) : 0
    if (chunk.program === undefined) sizes.set(group, before + chunk.text.length)
    chunk.file = number === 0 ? `${group}.js` : `${group}-${number}.js`
  }
  const byPath = new Map(chunks.map((chunk) => [chunk.path, chunk]))

  /** A program that runs for days must not load a file of the version that is installed meanwhile. */
  const allFilesOf = (program) =>
    [...new Set(chunks.filter(({ users }) => users.has(program)).map(({ file }) => file))]
      .filter((file) => file !== `${program}.js`)
      .map((file) => `require("./${file}");`)
      .join("")

  const fileOf = (name) => {
    const parts = []
    let text = runtime
    for (const { file, id, path, program, starters, text: chunk, without } of chunks) {
      if (file !== name) continue
      const body = bodyOf(chunk, (from) => {
        const at = `${dirname(path)}/${from.slice(2)}`
        if (without.has(at)) return undefined
        const other = byPath.get(at)
        return `${other.file === name ? "exports" : `require("./${other.file}")`}.${other.id}()`
      })
      // V8 compiles a function in parentheses at once. Of another it first looks for the end only, and later reads it again.
      const [open, close] = starters.size > 0 ? ["(", ")"] : ["", ""]
      text += `exports.${id}=once(${open}function(){`
      parts.push({ path, start: text.length, before: body.before })
      text += `${body.text}}${close});\n`
      if (program !== undefined) text += `${allFilesOf(program)}Object.assign(exports,exports.${id}());\n`
    }
    // A statement of modules that was overlooked is an error here, and not only when a user runs the program.
    compileFunction(text, ["exports", "require", "__dirname"], { filename: name })
    return { path: `${dirname(chunks[0].path)}/${name}`, text, parts }
  }
  return [...new Set(chunks.map(({ file }) => file))].map(fileOf)
}
