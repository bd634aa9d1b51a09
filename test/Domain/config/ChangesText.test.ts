import { assert, describe, it } from "@effect/vitest"
import {
  changeLine,
  problemLine,
  type Reader,
  reloadText,
  writtenText
} from "../../../src/Domain/config/ChangesText.ts"
import type { ConfigProblem, ReloadData, SettingChange } from "../../../src/Domain/config/SettingsData.ts"

const nothing: ReloadData = {
  changes: [],
  projects_added: [],
  projects_removed: [],
  changes_command: [],
  restarted: [],
  awaiting_restart: []
}

const jitter: SettingChange = { key: "restart.jitter", from: "0", to: "0.25", applies: "on-reload" }
const model: SettingChange = { key: "projects.shop.model", to: '"opus"', applies: "worker-restart" }
const turns: SettingChange = { key: "max_turns", from: "5", applies: "daemon-restart" }

const linesOf = (text: string) => text.replace(/\n$/, "").split("\n")

describe("the text of one change", () => {
  const cases: ReadonlyArray<readonly [SettingChange, string]> = [
    [jitter, "restart.jitter: 0 -> 0.25"],
    [model, 'projects.shop.model: not set -> "opus"'],
    [turns, "max_turns: 5 -> not set"],
    [{ key: "env.TOKEN", applies: "worker-restart" }, "env.TOKEN: changed (its value is not shown)"],
    [{ ...jitter, to: "\u001b[2J\n" }, "restart.jitter: 0 -> \\x1b[2J\\n"]
  ]
  for (const [change, line] of cases) {
    it(`is: ${line}`, () => {
      assert.strictEqual(changeLine(change), line)
    })
  }
})

describe("the text of a reload", () => {
  it("says that nothing has changed", () => {
    assert.strictEqual(reloadText(nothing), "Nothing has changed.\n")
  })

  it("lists what is in force now, what the next starts bring, and added and removed projects", () => {
    assert.deepStrictEqual(
      linesOf(
        reloadText({
          ...nothing,
          changes: [model, jitter, turns],
          projects_added: ["blog", "wiki"],
          projects_removed: ["old"],
          awaiting_restart: ["shop"]
        })
      ),
      [
        "In force now:",
        "  restart.jitter: 0 -> 0.25",
        "At the next start of the worker:",
        '  projects.shop.model: not set -> "opus"',
        "At the next start of the daemon, unless its command line or environment sets them:",
        "  max_turns: 5 -> not set",
        "Projects added: blog and wiki",
        "Projects removed: old",
        "shop keeps its earlier settings until its next start: autopilotd restart-worker --project shop"
      ]
    )
  })

  it("names an added or removed project without its settings", () => {
    const old: SettingChange = { key: 'projects."o.ld".model', from: '"x"', applies: "on-reload" }
    const text = reloadText({ ...nothing, changes: [old, jitter], projects_removed: ["o.ld"] })
    assert.deepStrictEqual(linesOf(text), [
      "In force now:",
      "  restart.jitter: 0 -> 0.25",
      "Projects removed: o.ld"
    ])
  })

  it("lists restarted workers, also where nothing has changed since the last reload", () => {
    assert.deepStrictEqual(linesOf(reloadText({ ...nothing, restarted: ["default", "shop"] })), [
      "Nothing has changed.",
      "Workers restarted: default and shop"
    ])
  })

  it("has one command for several workers that keep their old settings", () => {
    assert.include(
      reloadText({ ...nothing, awaiting_restart: ["default", "shop"] }),
      "default and shop keep their earlier settings until their next start: autopilotd reload --restart\n"
    )
  })
})

describe("the text of a write", () => {
  const written = { ...nothing, written: true, path: "/home/u/daemon.toml" }
  const cases: ReadonlyArray<
    readonly [what: string, changes: ReadonlyArray<SettingChange>, reader: Reader, last: string]
  > = [
    ["a reload", [jitter], "daemon", "Apply it: autopilotd reload"],
    ["a restart of the worker", [jitter, model], "daemon", "Apply it: autopilotd reload --restart"],
    [
      "a restart of the daemon",
      [turns],
      "daemon",
      "To apply it, stop the daemon and start it again, unless its command line or environment overrides it."
    ],
    [
      "nothing but time",
      [jitter],
      "watching daemon",
      "The daemon reloads the file by itself (watch_config)."
    ],
    ["a start", [model], "nobody", "No daemon is running: the next start reads it."],
    ["a daemon", [model], "unknown", "To apply it in a daemon that uses this file, run: autopilotd reload"]
  ]
  for (const [what, changes, reader, last] of cases) {
    it(`says that ${what} applies it`, () => {
      assert.deepStrictEqual(linesOf(writtenText({ ...written, changes }, reader)), [
        ...changes.map(changeLine),
        last
      ])
    })
  }

  it("has no command where nothing changes", () => {
    assert.strictEqual(writtenText(written, "daemon"), "The settings stay as they are.\n")
  })

  it("lists earlier changes that are not in force yet by key only", () => {
    const isMeant = (key: string) => key === jitter.key
    assert.deepStrictEqual(
      linesOf(writtenText({ ...written, changes: [model, jitter, turns] }, "daemon", isMeant)),
      [
        "restart.jitter: 0 -> 0.25",
        "Written before and not in force yet: projects.shop.model and max_turns",
        "Apply it: autopilotd reload --restart"
      ]
    )
    assert.deepStrictEqual(linesOf(writtenText({ ...written, changes: [model] }, "daemon", isMeant)), [
      "The settings stay as they are.",
      "Written before and not in force yet: projects.shop.model",
      "Apply it: autopilotd reload --restart"
    ])
  })

  it("warns that other code will be executed, and marks a dry run", () => {
    assert.deepStrictEqual(
      linesOf(
        writtenText({ ...written, changes: [model], changes_command: ["shop"], written: false }, "daemon")
      ),
      [
        'projects.shop.model: not set -> "opus"',
        "Another program or environment will run in: shop",
        "This is a dry run: /home/u/daemon.toml was not written."
      ]
    )
  })
})

describe("the line of a problem", () => {
  const cases: ReadonlyArray<readonly [ConfigProblem, path: string | undefined, line: string]> = [
    [
      { line: 3, column: 5, key: "restart.jiter", reason: "is not a setting", nearest: "restart.jitter" },
      "/d.toml",
      "/d.toml:3:5: restart.jiter is not a setting. Did you mean restart.jitter?"
    ],
    [{ line: 3, key: "a", reason: "is wrong" }, "/d.toml", "/d.toml:3: a is wrong."],
    [{ reason: "cannot be read" }, "/d.toml", "/d.toml: cannot be read."],
    [{ key: "AUTOPILOT_MODEL", reason: "is empty" }, "/d.toml", "AUTOPILOT_MODEL is empty."],
    [{ line: 3, column: 5, key: "a", reason: "is wrong" }, undefined, "line 3:5: a is wrong."],
    [{ reason: "this is not\nTOML" }, undefined, "this is not\\nTOML."]
  ]
  for (const [problem, path, line] of cases) {
    it(`is: ${line}`, () => {
      assert.strictEqual(problemLine(problem, path), line)
    })
  }
})
