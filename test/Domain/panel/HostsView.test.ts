import { assert, describe, it } from "@effect/vitest"
import { hostsPieces, type SeenHost } from "../../../src/Domain/panel/HostsView.ts"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import { runningRow as row } from "../../fixtures/ProjectRows.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"

const seen = (...projects: ReadonlyArray<ProjectRow>): SeenHost["seen"] => ({
  type: "snapshot",
  at: 1,
  status: statusFields,
  projects: { selected: "shop", projects }
})

const textOf = (hosts: ReadonlyArray<SeenHost>, id: string): string =>
  hostsPieces(hosts).find((piece) => piece.id === id)?.content.text ?? ""

describe("the strip of other machines", () => {
  it("is empty without any", () => {
    assert.deepStrictEqual(
      hostsPieces([]).map(({ content, id }) => [id, content.text]),
      [["hosts", ""]]
    )
  })

  it("shows the worst state of each machine, and how many workers are in each", () => {
    const failed: ProjectRow = { ...row, name: "blog", worker_status: "failed", reason: "it crashed" }
    const hosts: ReadonlyArray<SeenHost> = [
      { name: "box", seen: seen(row, failed, { ...row, name: "docs" }) },
      { name: "lab", seen: seen(row) },
      { name: "new", seen: { _tag: "Asking" } },
      { name: "off", seen: { code: "host_unreachable", reason: "Host off cannot be reached." } }
    ]
    const summaries = hosts.map((_, at) => textOf(hosts, `host-${at}`))
    for (const [at, [tone, words]] of [
      ["bad", "2 running, 1 failed"],
      ["ok", "1 running"],
      ["off", "asking"],
      ["bad", "unreachable"]
    ].entries()) {
      assert.include(summaries[at], `class="dot ${tone}"`)
      assert.include(summaries[at], words)
    }
    assert.match(textOf(hosts, "host-projects-0"), /<b>blog<\/b> failed<span class="muted">: it crashed/)
    assert.include(textOf(hosts, "host-projects-0"), "autopilotd gui --host box")
    assert.include(textOf(hosts, "host-projects-3"), "Host off cannot be reached.")
  })

  it("stays as it is while no machine comes or goes: only its pieces change", () => {
    const keyOf = (hosts: ReadonlyArray<SeenHost>) => hostsPieces(hosts)[0]?.key
    const before: ReadonlyArray<SeenHost> = [{ name: "box", seen: { _tag: "Asking" } }]
    assert.strictEqual(keyOf([{ name: "box", seen: seen(row) }]), keyOf(before))
    assert.notStrictEqual(keyOf([...before, { name: "lab", seen: seen(row) }]), keyOf(before))
  })

  it("takes what comes from another machine for hostile text", () => {
    const evil = '<img src=x onerror=alert(1)>"\u202e\u001b[2J'
    const hosts: ReadonlyArray<SeenHost> = [
      { name: "box", seen: seen({ ...row, name: evil, worker_status: "waiting", reason: evil }) },
      { name: "lab", seen: { code: "bad_answer", reason: evil } }
    ]
    for (const { content } of hostsPieces(hosts)) {
      assert.notInclude(content.text, "<img")
      assert.notMatch(content.text, /[\p{Cc}\p{Cf}]/u)
    }
  })
})
