import { assert, describe, it } from "@effect/vitest"
import type { AgentName } from "../../../src/Domain/agent/AgentName.ts"
import { loginOf } from "../../../src/Domain/login/AgentLogin.ts"

type Environment = Readonly<Record<string, string>>

const isSame = (agent: AgentName, left: Environment, right: Environment): boolean => {
  const [one, other] = [loginOf(agent, left), loginOf(agent, right)]
  return one.chosenBy === other.chosenBy && (!one.isOfFile || one.file === other.file)
}

describe("the login of a worker", () => {
  const home = { HOME: "/home/u" }

  it("is in the file of its agent, in the folder that the environment names", () => {
    const files: ReadonlyArray<readonly [AgentName, Environment, string]> = [
      ["claude", home, "/home/u/.claude/.credentials.json"],
      ["claude", { ...home, CLAUDE_CONFIG_DIR: "/c" }, "/c/.credentials.json"],
      ["codex", home, "/home/u/.codex/auth.json"],
      ["codex", { ...home, CODEX_HOME: "/x" }, "/x/auth.json"],
      ["gemini", home, "/home/u/.gemini/oauth_creds.json"],
      ["qwen", home, "/home/u/.qwen/oauth_creds.json"],
      ["opencode", { ...home, XDG_DATA_HOME: "" }, "/home/u/.local/share/opencode/auth.json"],
      ["opencode", { ...home, XDG_DATA_HOME: "/d" }, "/d/opencode/auth.json"]
    ]
    for (const [agent, env, file] of files) assert.strictEqual(loginOf(agent, env).file, file)
    assert.isUndefined(loginOf("claude", {}).file)
  })

  it("is the same for the same folder, and for the same key of Claude Code in any folder", () => {
    assert.isTrue(isSame("claude", home, { ...home, PATH: "/bin" }))
    assert.isFalse(isSame("claude", home, { ...home, CLAUDE_CONFIG_DIR: "/c" }))
    const key = { ANTHROPIC_API_KEY: "k" }
    assert.isTrue(isSame("claude", { ...home, ...key }, { ...key, CLAUDE_CONFIG_DIR: "/c" }))
    assert.isFalse(isSame("claude", { ...home, ...key }, { ...home, ANTHROPIC_API_KEY: "l" }))
    assert.isFalse(isSame("claude", { ...home, ...key }, home))
  })

  it("is another one for another agent, another provider, or another key beside the same file", () => {
    assert.isFalse(loginOf("codex", home).chosenBy === loginOf("claude", home).chosenBy)
    assert.isFalse(isSame("qwen", home, { ...home, OPENAI_BASE_URL: "https://there" }))
    assert.isFalse(isSame("codex", home, { ...home, CODEX_API_KEY: "k" }))
    assert.isFalse(
      isSame("codex", { CODEX_HOME: "/a", OPENAI_API_KEY: "k" }, { CODEX_HOME: "/b", OPENAI_API_KEY: "k" })
    )
  })

  it("is no single one for OpenCode, which has those of many providers", () => {
    assert.isUndefined(loginOf("opencode", home).chosenBy)
  })
})
