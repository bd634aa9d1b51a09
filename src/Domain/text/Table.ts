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
    for (const [column, { length }] of row.map(textOf).entries()) {
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
      const padding = " ".repeat(Math.max(0, width - text.length))
      const shown = styled(styleOf(cell), text)
      line += toTheRight.has(column) ? `${padding}${shown}  ` : `${shown}${padding}  `
      indent += width + 2
      if (text.length <= width || column === row.length - 1) continue
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
}

/** A table with headings. Returns lines without newlines. */
export const tableLines = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  rows: ReadonlyArray<Row>
): ReadonlyArray<string> => {
  const shown = columns.filter(
    ({ cell, isOptional }) => isOptional !== true || rows.some((row) => textOf(cell(row)) !== "")
  )
  return aligned(
    [shown.map(({ heading }) => heading), ...rows.map((row) => shown.map(({ cell }) => cell(row)))],
    {
      toTheRight: new Set(shown.flatMap(({ isNumber }, at) => (isNumber === true ? [at] : [])))
    }
  )
}
