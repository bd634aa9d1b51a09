import { assert, describe, it } from "@effect/vitest"
import { cellWidth, cutToCells, inCells } from "../../../src/Domain/text/CellWidth.ts"

describe("the cells of a terminal", () => {
  const cases: ReadonlyArray<readonly [text: string, cells: number]> = [
    ["shop", 4],
    ["", 0],
    ["größe", 5],
    ["e\u0301", 1],
    ["日本語", 6],
    ["한국", 4],
    ["ｆｕｌｌ", 8],
    ["🚀", 2],
    ["👩‍💻", 2],
    ["\u200b", 0]
  ]
  it.each(cases)("%j takes %i", (text, cells) => {
    assert.strictEqual(cellWidth(text), cells)
  })

  it("a text is cut between characters, and filled to its width", () => {
    assert.strictEqual(cutToCells("日本語", 5), "日本…")
    assert.strictEqual(cutToCells("日本語", 4), "日…")
    assert.strictEqual(cutToCells("shop", 4), "shop")
    assert.strictEqual(cutToCells("shop", 0), "")
    for (const text of ["shop", "日本語", "e\u0301🚀x", ""])
      for (let cells = 1; cells < 9; cells++) assert.strictEqual(cellWidth(inCells(text, cells)), cells)
  })
})
