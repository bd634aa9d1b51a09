import { cellWidth, cutToCells } from "./CellWidth.ts"
import { type Style, styled } from "./Style.ts"

/** A cell: its text, without escapes and newlines, and how a terminal shows it. */
type Cell = string | { readonly text: string; readonly style: Style | undefined }

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text)
const styleOf = (cell: Cell): Style | undefined => (typeof cell === "string" ? undefined : cell.style)

interface Alignment {
  /** The columns that are aligned to the right: figures are compared by their last digits. */
  readonly toTheRight?: ReadonlySet<number>
  /** A longer cell, in characters, does not widen its column: the cells after it stand on the next line. */
  readonly widest?: number
}

/** Lays cells out in columns that are as wide as their widest cell, two spaces apart. Returns lines without newlines. */
export const aligned = (
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  { toTheRight = new Set(), widest = Number.POSITIVE_INFINITY }: Alignment = {}
): ReadonlyArray<string> => {
  const widths: Array<number> = []
  for (const row of rows) {
    for (const [column, length] of row.map((cell) => cellWidth(textOf(cell))).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, length > widest ? 0 : length)
    }
  }
  return rows.flatMap((row) => {
    const lines: Array<string> = []
    let line = ""
    let indent = 0
    for (const [column, cell] of row.entries()) {
      const width = widths[column] ?? 0
      const text = textOf(cell)
      const padding = " ".repeat(Math.max(0, width - cellWidth(text)))
      const shown = styled(styleOf(cell), text)
      line += toTheRight.has(column) ? `${padding}${shown}  ` : `${shown}${padding}  `
      indent += width + 2
      if (cellWidth(text) <= width || column === row.length - 1) continue
      lines.push(line)
      line = " ".repeat(indent)
    }
    return [...lines, line].map((each) => each.trimEnd())
  })
}

/** A column of a table: its heading, and the cell of a row. */
export interface Column<Row> {
  readonly heading: string
  readonly cell: (row: Row) => Cell
  readonly isNumber?: boolean
  /** Left out where all its cells are empty. */
  readonly isOptional?: boolean
  /** A text, which may be cut to the width of the terminal. */
  readonly isText?: boolean
  /** Left out where a terminal is too narrow for the texts; 1 is left out first. */
  readonly dropped?: number
}

/** The cells that a text needs to say something. */
const leastText = 30

const gap = 2

/** The columns that have room, and how wide each text may be. */
const fitting = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  widthOf: (column: Column<Row>) => number,
  terminal: number
): { readonly columns: ReadonlyArray<Column<Row>>; readonly textWidth: number } => {
  const texts = columns.filter(({ isText }) => isText === true)
  const wanted = texts.reduce((sum, column) => sum + widthOf(column), 0)
  const fixed = columns
    .filter(({ isText }) => isText !== true)
    .reduce((sum, column) => sum + widthOf(column), gap * (columns.length - 1))
  const room = terminal - fixed
  const [next] = columns
    .filter(({ dropped }) => dropped !== undefined)
    .toSorted((one, other) => (one.dropped ?? 0) - (other.dropped ?? 0))
  if (next !== undefined && room < Math.min(wanted, leastText * texts.length))
    return fitting(
      columns.filter((column) => column !== next),
      widthOf,
      terminal
    )
  // A narrow text leaves its room to the others.
  const narrow = texts.filter((column) => widthOf(column) * texts.length <= room)
  const left = room - narrow.reduce((sum, column) => sum + widthOf(column), 0)
  const others = texts.length - narrow.length
  return { columns, textWidth: others === 0 ? terminal : Math.max(10, Math.floor(left / others)) }
}

const cut = (cell: Cell, cells: number): Cell =>
  typeof cell === "string" ? cutToCells(cell, cells) : { ...cell, text: cutToCells(cell.text, cells) }

/** A table with headings, no wider than the terminal, where there is one. Returns lines without newlines. */
export const tableLines = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  rows: ReadonlyArray<Row>,
  terminal?: number
): ReadonlyArray<string> => {
  const filled = columns.filter(
    ({ cell, isOptional }) => isOptional !== true || rows.some((row) => textOf(cell(row)) !== "")
  )
  const widthOf = ({ cell, heading }: Column<Row>): number =>
    Math.max(cellWidth(heading), ...rows.map((row) => cellWidth(textOf(cell(row)))))
  const { columns: shown, textWidth } =
    terminal === undefined
      ? { columns: filled, textWidth: Number.POSITIVE_INFINITY }
      : fitting(filled, widthOf, terminal)
  return aligned(
    [
      shown.map(({ heading }) => heading),
      ...rows.map((row) =>
        shown.map(({ cell, isText }) => (isText === true ? cut(cell(row), textWidth) : cell(row)))
      )
    ],
    {
      toTheRight: new Set(shown.flatMap(({ isNumber }, at) => (isNumber === true ? [at] : [])))
    }
  )
}
