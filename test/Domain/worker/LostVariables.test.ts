import { assert, describe, it } from "@effect/vitest"
import { isVariableName, lossWarnings } from "../../../src/Domain/worker/LostVariables.ts"

const nothing = { dropped: [], changed: [] }

describe("the warning about variables that a worker does not get", () => {
  it("is absent in the usual case", () => {
    assert.deepStrictEqual(lossWarnings(nothing, {}, ["claude", "-p", "über"]), [])
  })

  it("names variables that a shell drops, and texts that are not UTF-8", () => {
    const lost = { dropped: ["a.b", "BASH_FUNC_x%%", "a.b"], changed: ["LATIN"] }
    assert.deepStrictEqual(lossWarnings(lost, {}, ["cat", "caf\uFFFD"]), [
      'The worker does not get the argument "caf\uFFFD" as it was given: it is not UTF-8. Rename the file, or put the text into one',
      "The worker does not get 2 variables (a.b, BASH_FUNC_x%%) of the daemon's environment: a shell drops names with other characters than letters, digits and _. Set them in the command: env NAME=VALUE CMD",
      "The worker does not get 1 variable (LATIN) of the daemon's environment unchanged: the value is not UTF-8. Set it in UTF-8, or in a script that starts the agent"
    ])
  })

  it("leaves out variables for the daemon, and those that the env file sets", () => {
    const lost = { dropped: ["npm_config_//reg/:_authToken"], changed: ["LATIN", "NOTIFY_SOCKET"] }
    assert.deepStrictEqual(lossWarnings(lost, { LATIN: "caf\u00e9" }, []), [])
  })

  it("shortens a long list", () => {
    const dropped = [...Array(30).keys()].map((n) => `a.${n}`)
    assert.match(
      lossWarnings({ dropped, changed: [] }, {}, [])[0] ?? "",
      /30 variables \(a\.0, .* and 22 more\)/
    )
  })

  it("follows the shell's rule for names", () => {
    assert.isTrue(["A", "_x9", "NODE_OPTIONS"].every(isVariableName))
    assert.isFalse(["", "a.b", "my-var", "1ST", "BASH_FUNC_x%%", "ProgramFiles(x86)"].some(isVariableName))
  })
})
