/** One line of a comparison. A gap stands for lines that are the same and not shown. */
export interface DiffLine {
  readonly kind: "same" | "removed" | "added" | "gap"
  readonly text: string
}

/** The table of the comparison has a cell for each pair of lines; beyond this the lines count as replaced. */
const maxCells = 1_000_000

/** Lines shown on both sides of a difference. */
const context = 2

const lines = (kind: DiffLine["kind"], texts: ReadonlyArray<string>): ReadonlyArray<DiffLine> =>
  texts.map((text) => ({ kind, text }))

/** The shortest edit of one list of lines into another, by the longest common subsequence. */
const edits = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): ReadonlyArray<DiffLine> => {
  const width = after.length + 1
  if ((before.length + 1) * width > maxCells) return [...lines("removed", before), ...lines("added", after)]
  /** The length of the longest common subsequence of what follows each pair. */
  const common = new Uint32Array((before.length + 1) * width)
  const at = (row: number, column: number): number => common[row * width + column] ?? 0
  for (let row = before.length - 1; row >= 0; row--)
    for (let column = after.length - 1; column >= 0; column--)
      common[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1))
  const found: Array<DiffLine> = []
  let row = 0
  let column = 0
  while (row < before.length || column < after.length) {
    const [old, now] = [before[row], after[column]]
    if (old !== undefined && old === now) {
      found.push({ kind: "same", text: old })
      row++
      column++
    } else if (now === undefined || (old !== undefined && at(row + 1, column) >= at(row, column + 1))) {
      found.push({ kind: "removed", text: old ?? "" })
      row++
    } else {
      found.push({ kind: "added", text: now })
      column++
    }
  }
  return found
}

/** Replaces what is far from any difference by gaps. */
const withGaps = (all: ReadonlyArray<DiffLine>): ReadonlyArray<DiffLine> => {
  const isNear = new Uint8Array(all.length)
  for (const [at, { kind }] of all.entries())
    if (kind !== "same") isNear.fill(1, Math.max(0, at - context), at + context + 1)
  return all.flatMap((line, at): ReadonlyArray<DiffLine> => {
    if (isNear[at] === 1) return [line]
    return at > 0 && isNear[at - 1] === 0 ? [] : [{ kind: "gap", text: "" }]
  })
}

/** The differences of two texts, line by line, with a little of what is the same around them; empty when they are equal. */
export const lineDiff = (before: string, after: string): ReadonlyArray<DiffLine> => {
  if (before === after) return []
  const old = before.split("\n")
  const now = after.split("\n")
  const shorter = Math.min(old.length, now.length)
  let above = 0
  while (above < shorter && old[above] === now[above]) above++
  let below = 0
  while (below < shorter - above && old.at(-1 - below) === now.at(-1 - below)) below++
  return withGaps([
    ...lines("same", old.slice(0, above)),
    ...edits(old.slice(above, old.length - below), now.slice(above, now.length - below)),
    ...lines("same", old.slice(old.length - below))
  ])
}
