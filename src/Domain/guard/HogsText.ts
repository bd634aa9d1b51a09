import { counted, humanBytes } from "../text/Amounts.ts"
import { printable, quoted } from "../text/Printable.ts"
import { type Column, tableLines } from "../text/Table.ts"
import { paragraph } from "../text/TextLayout.ts"
import type { HogRow, HogsData, SparedRow } from "./HogsData.ts"

const maxNameLength = 20
const maxReasonLength = 120
const maxCommandLength = 60

const columns: ReadonlyArray<Column<HogRow | SparedRow>> = [
  { heading: "PID", cell: ({ pid }) => String(pid), isNumber: true },
  { heading: "NAME", cell: ({ name }) => printable(name, maxNameLength) },
  { heading: "MEMORY", cell: (row) => humanBytes(row.memory_bytes), isNumber: true },
  { heading: "WHY", cell: ({ reason }) => printable(reason, maxReasonLength), isText: true },
  { heading: "COMMAND", cell: ({ command }) => printable(command, maxCommandLength), isText: true }
]

const indent = 2

const processTable = (rows: ReadonlyArray<HogRow | SparedRow>, width?: number): ReadonlyArray<string> =>
  tableLines(columns, rows, width && width - indent).map((line) => `${" ".repeat(indent)}${line}`)

const memory = (data: HogsData): string => {
  const group =
    data.memory_bound_by === undefined
      ? ""
      : `, limited by the cgroup ${printable(data.memory_bound_by, 200)}`
  const available = `${humanBytes(data.memory_available_bytes)} of ${humanBytes(data.memory_total_bytes)}`
  const low = humanBytes(data.memory_min_available_bytes)
  const critical = humanBytes(data.memory_critical_threshold_bytes)
  return `Memory is ${data.memory_level}: ${available} available${group}. It is low below ${low}, critical below ${critical}.`
}

const settings = (data: HogsData): string => {
  const names = data.hog_names.map(quoted).join(", ")
  const threshold = humanBytes(data.node_kill_threshold_bytes)
  return `Settings: hog_policy = "${data.hog_policy}", hog_names = [${names}], dry_run = ${data.dry_run}, node_kill_threshold_bytes = ${threshold}.`
}

const condition = ({ memory_level: level }: HogsData): string =>
  level === "plentiful" ? "If memory were low now, the daemon" : `Memory is ${level}. The daemon`

const dryRun = ({ dry_run: isDryRun }: HogsData): ReadonlyArray<string> =>
  isDryRun ? [paragraph("With dry_run = true the daemon only logs what it would do.")] : []

const ofWorkers = ({ workers: [largest] }: HogsData): ReadonlyArray<string> => {
  if (largest === undefined) return []
  const { memory_bytes: bytes, processes, project } = largest
  const held = `${humanBytes(bytes)} in ${counted(processes, "process", "processes")}`
  return [
    "",
    paragraph(
      `If memory were critical and none of these were left, the daemon would restart the largest worker, of ${quoted(project)}: ${held}.`
    )
  ]
}

/** The report, ending in a newline. `width` cuts its tables to the width of a terminal. */
export const hogsText = (data: HogsData, width?: number): string => {
  const { would_end: victims, would_spare: spared } = data
  const hogs =
    victims.length === 0
      ? [`${condition(data)} would kill nothing.`]
      : [
          paragraph(
            `${condition(data)} would kill these processes, one after the other, until enough is available:`
          ),
          ...processTable(victims, width)
        ]
  const others =
    spared.length === 0
      ? []
      : [
          "",
          "It would spare these, although they are large or were started by a worker:",
          ...processTable(spared, width)
        ]
  return [
    paragraph(memory(data)),
    paragraph(settings(data)),
    ...dryRun(data),
    "",
    ...hogs,
    ...ofWorkers(data),
    ...others
  ]
    .map((line) => `${line}\n`)
    .join("")
}
