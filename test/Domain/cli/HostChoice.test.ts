import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { parse } from "../../../src/Domain/cli/CommandLine.ts"
import { commandRow, requiredArguments, verbs } from "../../../src/Domain/cli/CommandTable.ts"
import { hostChoice, runsLong, withoutHost } from "../../../src/Domain/cli/HostChoice.ts"
import { anyWriting } from "./commandLines.ts"

const chosen = (line: string, variable?: string) =>
  hostChoice(parse(line === "" ? [] : line.split(" ")), variable).host

describe("the host of a command line", () => {
  it("stands before or behind the command, and is else that of AUTOPILOTD_HOST", () => {
    for (const line of [
      "--host box status",
      "status --host box",
      "status --host=box --json",
      "--host box",
      "--host box --version"
    ])
      assert.strictEqual(chosen(line, "other"), "box", line)
    for (const line of ["", "status", "logs -f", "version", "start -- worker --host box"])
      assert.strictEqual(chosen(line, "other"), "other", line)
  })

  it("is this machine where none is named, or local, or an empty one", () => {
    for (const line of ["--host local status", "status --host=", "status --host=local"])
      assert.isUndefined(chosen(line, "other"), line)
    for (const variable of [undefined, "", "local"]) assert.isUndefined(chosen("status", variable))
  })

  it("is this machine for help and completions, and for a command line that is wrong", () => {
    for (const line of [
      "help --host box",
      "--completions bash --host box",
      "stauts --host box",
      "status --host"
    ])
      assert.isUndefined(chosen(line, "other"), line)
  })

  it("is never that of the variable for dial-stdio, which may be a forced command", () => {
    assert.isUndefined(chosen("dial-stdio --read-only", "other"))
    assert.strictEqual(chosen("dial-stdio --host box", "other"), "box")
  })

  it("is asked from here by relay, and runs every other command", () => {
    for (const verb of verbs) {
      const args = commandRow(verb).needsWorker
        ? " -- worker"
        : requiredArguments(verb)
            .map(() => " x")
            .join("")
      const line = parse(`--host box ${verb}${args}`.split(" "))
      assert.deepStrictEqual(hostChoice(line, undefined), { host: "box", runsHere: verb === "relay" }, verb)
    }
  })

  it("leaves the rest of the command line as it was written", () => {
    FastCheck.assert(
      FastCheck.property(anyWriting, ([invocation, argv]) => {
        const { host: _, ...options } = invocation.options
        const rest = withoutHost(argv)
        assert.deepStrictEqual(parse(rest), {
          _tag: "Run",
          invocation: { ...invocation, options }
        })
        assert.deepStrictEqual(withoutHost(rest), rest)
      })
    )
    assert.deepStrictEqual(withoutHost(["run", "--host", "box", "--", "a", "--host", "b", "--host=c"]), [
      "run",
      "--",
      "a",
      "--host",
      "b",
      "--host=c"
    ])
  })

  it("has commands that run for long, which must not be left there", () => {
    const isLong = (line: string) => {
      const read = parse(line.split(" "))
      return read._tag === "Run" && runsLong(read.invocation)
    }
    for (const line of ["logs -f", "events -f", "wait", "start", "start -- worker", "gui"])
      assert.isTrue(isLong(line), line)
    for (const line of ["logs", "status", "start -d", "stop", "stop-worker"])
      assert.isFalse(isLong(line), line)
  })
})
