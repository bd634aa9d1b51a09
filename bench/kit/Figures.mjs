// Numbers into medians, ratios and one small table.
import { appendFileSync, readFileSync } from "node:fs"

/** The value below which `share` of `values` lie; the nearest one that was seen. */
export const quantile = (values, share) => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}

export const median = (values) => quantile(values, 0.5)

/** A number with about three digits that matter. */
export const short = (value) =>
  !Number.isFinite(value)
    ? "-"
    : Math.abs(value) >= 100
      ? value.toFixed(0)
      : Math.abs(value) >= 10
        ? value.toFixed(1)
        : value.toFixed(2)

export const ratio = (value, floor) => `${short(value / floor)}x`

/** The file that collects the tables of a run, one JSON object a line; `bench/run.mjs` sets it. */
const tablesFile = process.env.AUTOPILOTD_BENCH_TABLES

/**
 * Prints rows of cells under a heading: the first column to the left, the others to the right. `absent` names peers
 * that could not be had: [name, reason].
 */
export const printTable = (title, heading, rows, absent = []) => {
  const cells = [heading, ...rows].map((row) =>
    row.map((cell) => (typeof cell === "number" ? short(cell) : cell))
  )
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)))
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd()
  )
  const [load] = readFileSync("/proc/loadavg", "latin1").split(" ")
  console.log(`${title}\nNode ${process.version}, load ${load}. Compare within this table only.\n`)
  console.log([lines[0], "-".repeat(widths.reduce((a, b) => a + b + 2, -2)), ...lines.slice(1)].join("\n"))
  for (const [name, reason] of absent) console.log(`${name}  absent: ${reason}`)
  if (tablesFile !== undefined) {
    const [, ...texts] = cells
    const table = { title, heading, rows: texts, absent, node: process.version, load: Number(load) }
    appendFileSync(tablesFile, `${JSON.stringify(table)}\n`)
  }
}

/** `--name=12` on the command line, else `otherwise`. */
export const option = (name, otherwise) => {
  const given = process.argv.find((argument) => argument.startsWith(`--${name}=`))
  const value = given === undefined ? otherwise : Number(given.slice(name.length + 3))
  if (!(value > 0)) throw new Error(`--${name} expects a number above 0`)
  return value
}
