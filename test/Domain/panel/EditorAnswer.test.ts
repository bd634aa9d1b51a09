import { assert, describe, it } from "@effect/vitest"
import type { SettingsChanges } from "../../../src/Domain/config/SettingsData.ts"
import { commandQuestion } from "../../../src/Domain/panel/CommandQuestion.ts"
import {
  type EditorSight,
  type EditorVerdict,
  editable,
  editorAnswer
} from "../../../src/Domain/panel/EditorAnswer.ts"

const hostile = `</pre><script>alert("1")</script>'\u202e`

const sight = (verdict: EditorVerdict, more: Partial<EditorSight> = {}): EditorSight => ({
  stored: { path: "/home/u/.autopilot/daemon.toml", found: true, text: "a = 1\nb = 2\n", sha256: "old" },
  text: "a = 1\nb = 3\n",
  isStale: false,
  verdict,
  ...more
})

const pieceOf = (seen: EditorSight, id: string): string | undefined =>
  editorAnswer(seen).find((fragment) => fragment.id === id)?.content.text

const none: SettingsChanges = { changes: [], projects_added: [], projects_removed: [], changes_command: [] }

const changes: SettingsChanges = {
  ...none,
  changes: [
    { key: "restart.jitter", from: "0", to: "0.5", applies: "on-reload" },
    { key: "worker_command.argv", from: '["old"]', to: `["${hostile}"]`, applies: "worker-restart" },
    { key: "env.KEY", applies: "worker-restart" }
  ],
  changes_command: ["shop"]
}

const accepted = (what: SettingsChanges, reader: "daemon" | "nobody" = "daemon"): EditorVerdict => ({
  _tag: "Accepted",
  changes: what,
  reader,
  sha256: "new"
})

describe("the answers of the configuration editor", () => {
  it("show each problem with its line, its reason and what was meant, and no place of it twice", () => {
    const verdict = pieceOf(
      sight({
        _tag: "Refused",
        problems: [
          { line: 7, column: 3, key: "restart.jiter", reason: "is not a setting", nearest: "restart.jitter" },
          { reason: "this is wrong" }
        ]
      }),
      "config-verdict"
    )
    assert.include(verdict, '<button class="line" type="button" data-line="7">Line 7</button>')
    assert.include(verdict, "restart.jiter is not a setting. Did you mean restart.jitter?")
    assert.notInclude(verdict, "line 7")
    assert.include(verdict, "<li>this is wrong.</li>")
  })

  it("escape whatever stands in the file, in the changes and in the problems", () => {
    const stored = { path: hostile, found: true, text: hostile, sha256: "old" }
    for (const verdict of [
      { _tag: "Refused", problems: [{ line: 1, key: hostile, reason: hostile }] },
      { _tag: "Failed", reason: hostile },
      { _tag: "Saved", lines: [hostile], awaiting: [hostile], isInForce: false },
      accepted({ ...changes, projects_added: [hostile], projects_removed: [hostile] })
    ] satisfies ReadonlyArray<EditorVerdict>) {
      const all = editorAnswer(sight(verdict, { stored, text: `${hostile}\n` })).map(
        ({ content }) => content.text
      )
      assert.notInclude(all.join(), "<script")
      assert.notInclude(all.join(), '("1")')
    }
  })

  it("say what a save brings into force at once, and what only a new start does", () => {
    const text = pieceOf(sight(accepted(changes)), "config-verdict") ?? ""
    assert.match(
      text,
      /In force as soon as it is saved.*restart\.jitter: 0 → 0\.5.*next start of the worker/s
    )
    assert.include(text, "env.KEY: changed (its value is not shown)")
    assert.include(
      pieceOf(
        sight(accepted({ ...none, projects_added: ["web"], projects_removed: ["old"] })),
        "config-verdict"
      ),
      "Starts web"
    )
    assert.include(
      pieceOf(sight(accepted(changes, "nobody")), "config-verdict"),
      "At the next start of the daemon"
    )
  })

  it("ask before a change of what is run, with the old and the new command, for this very text", () => {
    const ask = pieceOf(sight(accepted(changes)), "config-ask") ?? ""
    assert.include(ask, 'value="new"')
    assert.include(ask, "Change what is run for shop?")
    assert.include(ask, "now:  [&quot;old&quot;]")
    assert.include(ask, "its values are not shown")
    assert.notInclude(ask, "jitter")
    assert.strictEqual(
      pieceOf(sight(accepted({ ...none, changes: changes.changes.slice(0, 1) })), "config-ask"),
      ""
    )
  })

  it("ask before a project is removed, whose worker stops", () => {
    const question = commandQuestion({ ...none, projects_removed: ["web"] })
    assert.strictEqual(question?.question, "Stop and remove web?")
    assert.strictEqual(question?.consequence, "The workers of web are stopped and not restarted.")
  })

  it("keep the text of a stale editor, with the hash that it was made from, and offer both ways", () => {
    const stale = sight(accepted(changes), { isStale: true })
    assert.isUndefined(pieceOf(stale, "config-stored"))
    assert.strictEqual(pieceOf(stale, "config-ask"), "")
    assert.include(pieceOf(stale, "config-state"), "Changed on disk")
    assert.match(
      pieceOf(stale, "config-verdict") ?? "",
      /Load the stored file.*mine=1" hx-swap="none">Go on with mine/s
    )
    assert.match(pieceOf(stale, "config-diff") ?? "", /removed">- b = 2<.*added">\+ b = 3</s)
  })

  it("hand over the stored text whole: first line break, quotes and Windows line ends included", () => {
    const text = "\n\r\n# \"q\" 'a' <b>\r\n"
    const piece = pieceOf(
      sight({ _tag: "Stored" }, { stored: { path: "/f", found: true, text, sha256: "x" }, text }),
      "config-stored"
    )
    assert.include(piece, `data-text="${"\n\n# &quot;q&quot; &#39;a&#39; &lt;b&gt;\n"}"`)
    assert.strictEqual(editable(text), "\n\n# \"q\" 'a' <b>\n")
  })

  it("stay small where a file has hundreds of problems or changed lines", () => {
    const problems = Array.from({ length: 500 }, (_, at) => ({ line: at + 1, reason: "is wrong" }))
    assert.include(pieceOf(sight({ _tag: "Refused", problems }), "config-verdict"), "and 480 more problems")
    const text = Array.from({ length: 900 }, (_, at) => `k${at} = 1`).join("\n")
    assert.match(pieceOf(sight({ _tag: "Stored" }, { text }), "config-diff") ?? "", /and \d+ more lines/)
  })
})
