import { assert, describe, it } from "@effect/vitest"
import { anchorOf, markdownTable, spans } from "../../../src/Domain/text/Markdown.ts"

describe("Markdown of the reference pages", () => {
  it("sets what a user types as code", () => {
    for (const [text, expected] of [
      ["Arguments after -- are the worker's.", "Arguments after `--` are the worker's."],
      ["See --max-turns, or restart.on.crash.", "See `--max-turns`, or `restart.on.crash`."],
      ["In ~/.autopilot/env or daemon.toml.", "In `~/.autopilot/env` or `daemon.toml`."],
      ["$VISUAL, $EDITOR or AUTOPILOT_HOME", "`$VISUAL`, `$EDITOR` or `AUTOPILOT_HOME`"],
      ['"always" in [projects.NAME]', '`"always"` in `[projects.NAME]`'],
      ["a stream-json of 1.5 GiB, e.g. 14:30", "a stream-json of 1.5 GiB, e.g. 14:30"]
    ] as const) {
      assert.strictEqual(spans(text), expected)
    }
  })

  it("escapes what Markdown would take for markup", () => {
    assert.strictEqual(spans("1 < 2 * 3"), "1 \\< 2 \\* 3")
    assert.strictEqual(markdownTable(["a", "b"], [["1|2", "3"]]), "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |")
  })

  it("links to the anchor that GitHub gives to a heading", () => {
    assert.strictEqual(anchorOf("[projects.NAME]"), "projectsname")
    assert.strictEqual(anchorOf("autopilotd start-worker"), "autopilotd-start-worker")
  })
})
