// Runs benchmarks one after the other: all of them, or those named. `--record` keeps their tables in bench/results.json
// and writes bench/RESULTS.md from it, so that no figure there is typed by hand.
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus, release, tmpdir, totalmem } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const resultsFile = join(here, "results.json")

/** In this order they run and stand in the document: what is asked most often comes first. */
const order = ["restart", "command", "start", "idle", "control", "stop", "package"]

const benchmarks = readdirSync(here)
  .filter((name) => name.endsWith(".mjs") && name !== "run.mjs")
  .map((name) => name.slice(0, -".mjs".length))
  .toSorted((a, b) => (order.indexOf(a) + 1 || 99) - (order.indexOf(b) + 1 || 99) || a.localeCompare(b))

/** Takes longer than all others together: it runs only when it is named. */
const onlyNamed = ["soak"]

const usage = `Usage: npm run bench -- [NAME ...] [--record] [--OPTION=N]
NAME is one of: ${benchmarks.join(", ")}.`

const read = (words) => {
  const options = words.filter((word) => word.startsWith("--"))
  const names = words.filter((word) => !word.startsWith("--"))
  const unknown = names.find((name) => !benchmarks.includes(name))
  if (unknown !== undefined) throw new Error(`No benchmark is named ${unknown}.\n${usage}`)
  const own = options.filter((option) => option !== "--record")
  if (own.length > 0 && names.length !== 1)
    throw new Error(`${own[0]} is an option of one benchmark: name it.\n${usage}`)
  return {
    names: names.length > 0 ? names : benchmarks.filter((name) => !onlyNamed.includes(name)),
    options: own,
    isRecorded: options.length > own.length
  }
}

const git = (...args) => spawnSync("git", args, { cwd: here, encoding: "utf8" }).stdout?.trim() ?? ""

/** The commit that is measured. A figure of a changed tree could not be told from one of its commit. */
const measuredCommit = () => {
  const changed = git("status", "--porcelain", "--", "../src", "../bin", "../scripts", "../package-lock.json")
  if (changed !== "") throw new Error(`--record measures a commit, and this tree has changes:\n${changed}`)
  return git("log", "-1", "--format=%h, %cs")
}

/** Runs one benchmark; its tables, and how it went. */
const measure = async (folder, name, options) => {
  const tablesFile = join(folder, `${name}.jsonl`)
  const startedMs = performance.now()
  const child = spawn(process.execPath, [join(here, `${name}.mjs`), ...options], {
    stdio: "inherit",
    env: { ...process.env, AUTOPILOTD_BENCH_TABLES: tablesFile }
  })
  const [code, signal] = await once(child, "exit")
  const lines = existsSync(tablesFile) ? readFileSync(tablesFile, "utf8").trimEnd().split("\n") : []
  return {
    name,
    seconds: Math.round((performance.now() - startedMs) / 1000),
    outcome: code === 0 ? "" : signal === null ? `exited with ${code}` : `killed by ${signal}`,
    tables: lines.map((line) => JSON.parse(line))
  }
}

/** A table in Markdown. A vertical bar would end its cell. */
const markdownOf = ({ absent, heading, load, node, rows, title }) => {
  const row = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  const rule = heading.map((_, column) => (column === 0 ? "---" : "---:"))
  return [
    `**${title}** Node ${node}, load ${load}.`,
    "",
    row(heading),
    row(rule),
    ...rows.map(row),
    ...absent.map(([name, reason]) => `\n${name} is absent: ${reason}`)
  ].join("\n")
}

const documentOf = (results) => {
  const sections = benchmarks
    .filter((name) => results[name] !== undefined)
    .map((name) => {
      const { commit, machine, seconds, tables } = results[name]
      return `## ${name}\n\nCommit ${commit}; ${machine}; ${seconds} s.\n\n${tables.map(markdownOf).join("\n\n")}\n`
    })
  return `# Results

Written by \`npm run bench -- --record\`: do not edit. [README.md](README.md) says what each table measures, how to read it
and what it does not show. Compare within one table only.

${sections.join("\n")}`
}

const main = async () => {
  const { isRecorded, names, options } = read(process.argv.slice(2))
  const commit = isRecorded ? measuredCommit() : undefined
  const folder = mkdtempSync(join(tmpdir(), "apb-tables-"))
  const runs = []
  try {
    for (const name of names) {
      const run = await measure(folder, name, options)
      runs.push(run)
      console.log(`\n${name}: ${run.seconds} s${run.outcome && `, ${run.outcome}`}\n`)
      if (run.outcome.startsWith("killed")) break
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const failed = runs.filter(({ outcome }) => outcome !== "").map(({ name }) => name)
  if (commit !== undefined) {
    const gib = Math.round(totalmem() / 2 ** 30)
    const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${gib} GiB, Linux ${release()}`
    const results = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, "utf8")) : {}
    for (const { name, outcome, seconds, tables } of runs) {
      if (outcome === "") results[name] = { commit, machine, seconds, tables }
    }
    writeFileSync(resultsFile, `${JSON.stringify(results, undefined, 1)}\n`)
    writeFileSync(join(here, "RESULTS.md"), documentOf(results))
  }
  const total = runs.reduce((sum, { seconds }) => sum + seconds, 0)
  console.log(`${runs.length} of ${names.length} benchmarks ran in ${total} s.`)
  if (failed.length > 0) throw new Error(`Failed: ${failed.join(", ")}.`)
}

await main().catch((cause) => {
  console.error(cause.message)
  process.exitCode = 1
})
