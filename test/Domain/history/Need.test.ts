import { assert, describe, it } from "@effect/vitest"
import { byNeed } from "../../../src/Domain/history/Need.ts"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import { stoppedRow } from "../../fixtures/ProjectRows.ts"

const row = (name: string, worker_status: ProjectRow["worker_status"], blocked?: string): ProjectRow => ({
  ...stoppedRow,
  name,
  worker_status,
  ...(blocked === undefined ? {} : { last_agent: { turns: 1, blocked } })
})

describe("why --all", () => {
  it("begins with the projects that need a user", () => {
    const rows = [
      row("stopped", "stopped"),
      row("running", "running"),
      row("waiting", "waiting"),
      row("asks", "stopped", "question"),
      row("failed", "failed"),
      row("second", "failed")
    ]
    assert.deepStrictEqual(
      byNeed(rows).map(({ name }) => name),
      ["failed", "second", "asks", "waiting", "running", "stopped"]
    )
  })
})
