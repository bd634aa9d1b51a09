import { assert, describe, it } from "@effect/vitest"
import { verbs, verbsWith } from "../../../src/Domain/cli/CommandTable.ts"
import { manPage } from "../../../src/Domain/cli/ManPage.ts"
import { optionKeys, optionTable } from "../../../src/Domain/cli/OptionTable.ts"

describe("the man page", () => {
  const lines = manPage("1.2.3").split("\n")
  const requests = lines.filter((line) => /^[.']/.test(line))
  const text = lines.filter((line) => !requests.includes(line))

  it("has the sections of a man page, and only requests of groff_man(7)", () => {
    assert.deepStrictEqual(
      requests.flatMap((line) => /^\.SH (.*)/.exec(line)?.[1] ?? []),
      [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "COMMANDS",
        "OPTIONS",
        "COMPLETIONS",
        "FILES",
        "ENVIRONMENT",
        "EXIT STATUS",
        "EXAMPLES",
        "SEE ALSO"
      ]
    )
    for (const line of requests) assert.match(line, /^\.(\\"|(TH|SH|SS|PP|TP|EX|EE|B|BR|sp|nh|ad)\b)/)
  })

  it("escapes the characters that groff would replace in a command to copy", () => {
    for (const line of text) {
      assert.notMatch(line.replaceAll(/\\[e-]|\\\((aq|ga|ha|ti|dq)|\\f[BR]|\\&/g, ""), /[\\'`^~"-]/, line)
    }
    assert.include(text, "autopilotd start \\-\\- claude \\-p \\(aqFix the failing tests\\(aq")
  })

  it("describes every command and every option", () => {
    for (const verb of verbs) {
      assert.isTrue(
        text.some((line) => line.startsWith(`\\fB${verb.replaceAll("-", "\\-")}`)),
        verb
      )
    }
    for (const key of optionKeys.filter((one) => verbsWith(one).length > 0)) {
      const name = `--${optionTable[key].long}`.replaceAll("-", "\\-")
      assert.isTrue(
        text.some((line) => line.startsWith("\\fB") && line.includes(name)),
        name
      )
    }
  })
})
