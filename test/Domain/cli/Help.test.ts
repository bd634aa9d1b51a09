import { assert, describe, it } from "@effect/vitest"
import { parse } from "../../../src/Domain/cli/CommandLine.ts"
import {
  aliases,
  argumentsOf,
  commandRow,
  groups,
  nextWords,
  verbs,
  verbsWith
} from "../../../src/Domain/cli/CommandTable.ts"
import { firstCommands, textsOf } from "../../../src/Domain/cli/CommandTexts.ts"
import { helpText } from "../../../src/Domain/cli/Help.ts"
import { commandWords } from "../../../src/Domain/cli/Manual.ts"
import { optionKeys, optionTable, questionTable } from "../../../src/Domain/cli/OptionTable.ts"

const topics = [undefined, ...verbs, ...groups]

describe("the help", () => {
  it("is plain text of at most 80 columns that ends in one newline", () => {
    for (const topic of topics) {
      const lines = helpText(topic).split("\n")
      assert.strictEqual(lines.pop(), "")
      for (const line of lines) {
        assert.isAtMost(line.length, 80, line)
        assert.match(line, /^[\x20-\x7e]*$/, line)
        assert.strictEqual(line, line.trimEnd())
      }
    }
  })

  it("fits on a screen, with the commands that matter first, and names all others", () => {
    const text = helpText()
    assert.isAtMost(text.trimEnd().split("\n").length, 24)
    for (const verb of firstCommands) assert.include(text, textsOf(verb).summary)
    for (const verb of verbs) assert.match(text, new RegExp(`[ \\n]${verb.split(" ")[0]}[ ,\\n]`), verb)
    assert.include(text, "autopilotd help --all")
  })

  it("shows every command, every option and every default at once under help --all", () => {
    const text = helpText(undefined, true).replace(/\s+/g, " ")
    for (const verb of verbs) {
      assert.include(text, ` ${commandWords(verb)} ${textsOf(verb).summary}`)
    }
    for (const key of optionKeys.filter((one) => verbsWith(one).length > 0))
      assert.include(text, `--${optionTable[key].long}`)
    for (const expected of [
      "-w, --workdir DIR Working directory of the worker (default: .)",
      "--model NAME Model of the agent (default: sonnet)",
      "(default: 300)",
      "(default: 99999)",
      "-c, --config FILE Settings file (default: ~/.autopilot/daemon.toml)",
      "-p, --project NAME Project to act on",
      "--completions SHELL"
    ]) {
      assert.include(text, expected)
    }
  })

  it("names the environment, the files and the exit codes", () => {
    const text = helpText(undefined, true)
    for (const expected of ["AUTOPILOT_HOME", "AUTOPILOT_MODEL", "NO_COLOR", "daemon.toml", "logs/"])
      assert.include(text, expected)
    assert.match(
      text,
      /Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}4 .*\n {2}5 .*\n {2}6 .*\n {2}75 .*\n {2}77 .*\n {2}78 .*\n {2}124 .*\n {2}130 .*\n {2}143 .*\n/
    )
  })

  it("shows the options of a command and no others", () => {
    for (const verb of verbs) {
      const options = helpText(verb).split("Options:\n")[1]?.split("\n\n")[0] ?? ""
      for (const key of optionKeys) {
        const shown =
          options.includes(`--${optionTable[key].long} `) || options.includes(`--${optionTable[key].long}\n`)
        assert.strictEqual(
          shown,
          commandRow(verb).options.includes(key),
          `${verb} --${optionTable[key].long}`
        )
      }
    }
  })

  it("shows the arguments of a command in its usage and explains them", () => {
    assert.include(helpText("config set"), "\n  autopilotd config set KEY VALUE [OPTIONS]\n")
    assert.match(helpText("config set"), /\nArguments:\n {2}KEY .*\n.*\n {2}VALUE /)
    assert.match(helpText("switch"), /\n {2}autopilotd switch NAME \[OPTIONS\]\n[^]*\nArgument:\n {2}NAME /)
    assert.match(helpText("status"), /\n {2}autopilotd status \[NAME\.\.\.\] \[OPTIONS\]\n/)
    assert.match(helpText("why"), /\n {2}autopilotd why \[NAME\] \[OPTIONS\]\n/)
    assert.notInclude(helpText("hogs"), "Argument")
  })

  it("explains --project of start", () => {
    assert.include(
      helpText("start").replace(/\s+/g, " "),
      "--project selects the project of that name in the settings"
    )
  })

  it("says that start takes --json only in the background", () => {
    assert.include(helpText("start"), "--json needs --detach")
  })

  it("says that a start in the background has no exit code of its workers", () => {
    assert.include(
      helpText("start").replace(/\s+/g, " "),
      "--detach excludes --exit-when-finished and --termination-log"
    )
  })

  it("lists the commands of a group", () => {
    assert.include(helpText("config"), "config check")
  })
})

describe("the table of commands", () => {
  it("gives each option one name and one letter of its own", () => {
    const rows = [...Object.values(optionTable), ...Object.values(questionTable)]
    const names = rows.flatMap((row) => [
      row.long,
      ...("short" in row ? [row.short] : []),
      ...("alias" in row ? [row.alias] : [])
    ])
    assert.strictEqual(new Set(names).size, names.length)
    const words = [...verbs, ...aliases, ...groups, "help", "version", "completions"]
    assert.strictEqual(new Set(words).size, words.length)
  })

  it("shows the other names of a command and of an option in the help of the command", () => {
    assert.include(helpText("projects"), "Also: autopilotd ps or ls.")
    assert.include(helpText("restart-worker"), "Also: autopilotd restart.")
    assert.include(helpText("logs"), "(also --tail)")
  })

  it("takes a project as a word only where it takes it as an option", () => {
    const named = verbs.filter((verb) => argumentsOf(verb).some((key) => key === "name" || key === "names"))
    assert.isNotEmpty(named)
    for (const verb of named) assert.include(commandRow(verb).options, "project")
  })

  it("describes every group of commands, and every group has commands", () => {
    const firstWords = verbs.filter((verb) => verb.includes(" ")).map((verb) => verb.split(" ")[0])
    assert.sameMembers([...new Set(firstWords)], [...groups])
    for (const group of groups) assert.isNotEmpty(nextWords(group))
  })

  it("shows only valid examples", () => {
    for (const verb of verbs) {
      for (const example of textsOf(verb).examples) {
        for (const part of example.split(" && ")) {
          const words = (part.replace(/^EDITOR=('[^']*'|\S+) /, "").match(/'[^']*'|\S+/g) ?? []).map((word) =>
            word.replaceAll("'", "")
          )
          assert.strictEqual(words[0], "autopilotd")
          assert.notStrictEqual(parse(words.slice(1))._tag, "UsageError", part)
        }
      }
    }
  })
})
