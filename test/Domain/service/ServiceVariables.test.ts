import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { byEnvFile, lackingText, lackingVariables } from "../../../src/Domain/service/ServiceVariables.ts"
import { parseEnvFile } from "../../../src/Domain/worker/EnvFileSyntax.ts"
import type { WorkerPlan } from "../../../src/Domain/worker/ProjectPlan.ts"
import { environmentFrom } from "../../../src/Domain/worker/WorkerEnvironment.ts"

const plan = (
  argv: readonly [string, ...ReadonlyArray<string>],
  path = "/home/me/.autopilot/env"
): WorkerPlan => ({
  project: ProjectName.make("shop"),
  argv,
  cwd: "/srv",
  envFile: { path, mustExist: false },
  envTable: {},
  graceMs: 0
})

const secret = 'it\'s a $secret # with "quotes"'
const shell = {
  HOME: "/home/me",
  ANTHROPIC_API_KEY: secret,
  OPENAI_API_KEY: "k",
  https_proxy: "http://proxy:3128",
  GITHUB_TOKEN: "",
  AUTOPILOTD_WORKER_NODE_EXTRA_CA_CERTS: "/etc/ca.pem",
  EDITOR: "vi"
}
const service = { HOME: "/home/me", OPENAI_API_KEY: "another" }

describe("the variables of the shell that a service lacks", () => {
  it("are those that the worker's agent reads, and those that many programs read", () => {
    assert.deepStrictEqual(lackingVariables(plan(["/opt/bin/claude", "-p"]), shell, service), [
      "ANTHROPIC_API_KEY",
      "https_proxy",
      "NODE_EXTRA_CA_CERTS"
    ])
    assert.deepStrictEqual(lackingVariables(plan(["codex", "exec"]), shell, { HOME: "/home/me" }), [
      "OPENAI_API_KEY",
      "https_proxy",
      "NODE_EXTRA_CA_CERTS"
    ])
    assert.include(lackingVariables(plan(["./loop.sh"]), shell, service), "ANTHROPIC_API_KEY")
  })

  it("are named once for all workers with the same env file, and never with a value", () => {
    const [first, ...others] = byEnvFile([
      { plan: plan(["claude"]), names: ["ANTHROPIC_API_KEY"] },
      { plan: plan(["claude"], "/srv/env"), names: [] },
      { plan: plan(["codex"]), names: ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"] }
    ])
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(first?.names, ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"])
    assert.notInclude(JSON.stringify(first), secret)
  })

  it("are there after the advised command, in a file that only its owner reads", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "apd-"))
    try {
      const envFile = join(folder, "it's here")
      const names = ["ANTHROPIC_API_KEY", "https_proxy"]
      const { fix } = lackingText({ envFile, projects: ["shop"], names })
      execFileSync("sh", ["-c", fix], { env: shell })
      assert.strictEqual(fs.statSync(envFile).mode & 0o777, 0o600)
      const { problems, values } = parseEnvFile(fs.readFileSync(envFile, "utf8"))
      assert.deepStrictEqual(problems, [])
      assert.strictEqual(values["https_proxy"], shell.https_proxy)
      const worker = environmentFrom(service).of(values, {}, "")
      assert.deepStrictEqual(lackingVariables(plan(["claude"]), shell, worker), ["NODE_EXTRA_CA_CERTS"])
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })
})
