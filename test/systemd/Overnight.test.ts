import * as fs from "node:fs"
import { resolve } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onBootedMachine } from "./BootedMachine.ts"
import { project } from "./Machine.ts"
import { serviceOn } from "./Service.ts"

const readme = fs.readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8")
const recipe = readme.split(/^## /m).find((section) => section.startsWith("Overnight")) ?? ""

const blocks = (language: string): ReadonlyArray<string> =>
  [...recipe.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map((match) => match[1] ?? "")

/** The commands of autopilotd in a block; `git` and `loginctl` are the reader's own. */
const commandsOf = (block = ""): ReadonlyArray<string> =>
  block.split("\n").filter((line) => line.startsWith("autopilotd "))

/** Speaks as Claude Code does. Its first run in a folder crashes, later runs finish. */
const claude = `#!/bin/sh
case "$*" in
  "--resume s "*) expected="Your process was interrupted" ;;
  "--session-id "*) expected="Work through TODO.md." ;;
  *) echo "error: unknown option '$*'" >&2; exit 1 ;;
esac
case "$*" in *" --max-budget-usd 20 --max-turns 9999"?" -p --input-format stream-json --output-format stream-json --verbose "*" --dangerously-skip-permissions") ;;
  *) echo "error: unknown option '$*'" >&2; exit 1 ;;
esac
read -r question; read -r prompt
case "$prompt" in *"$expected"*) ;; *) echo "error: unknown option '$prompt'" >&2; exit 1 ;; esac
echo '{"type":"system","subtype":"init","session_id":"s","model":"sonnet","cwd":"/","tools":[]}'
mkdir begun 2>/dev/null && kill -SEGV $$
echo "ticked off" >>TODO.md
echo '{"type":"assistant","session_id":"s","message":{"content":[{"type":"text","text":"All items are done."}]}}'
echo '{"type":"result","subtype":"success","is_error":false,"session_id":"s","num_turns":2,"result":"All items are done."}'
`

describe("the overnight recipe of the README", () => {
  onBootedMachine("supervises claude as a service, and reports in the morning what happened", (machine) =>
    Effect.gen(function* () {
      const [settings = ""] = blocks("toml")
      // The first block is for a terminal: FirstMinute.test.ts runs it.
      const [, morning, service] = blocks("sh").map(commandsOf)
      assert.isNotEmpty(service)
      assert.isNotEmpty(morning)
      yield* machine.linger
      machine.write(".local/bin/claude", claude, 0o755)
      machine.write("code/shop/TODO.md", "- one item\n")
      machine.write(".autopilot/daemon.toml", settings)
      const path = "export PATH=$HOME/.local/bin:$PATH"
      yield* machine.sh(`ln -s ${project}/bin/autopilotd ~/.local/bin/autopilotd`)

      for (const line of service ?? []) yield* machine.sh(`${path}; ${line}`)
      const finished = yield* serviceOn(machine).status(
        "the work is finished",
        ({ total_restarts, worker_status }) => worker_status === "stopped" && total_restarts === 1
      )
      assert.strictEqual(finished.project, "shop")
      assert.strictEqual(machine.read("code/shop/TODO.md"), "- one item\nticked off\n")

      const outputs = yield* Effect.forEach(morning ?? [], (line) => machine.sh(`${path}; ${line}`))
      const report = outputs.join("\n")
      assert.match(report, /finished/)
      assert.match(report, /SIGSEGV/)
      assert.match(report, /All items are done\./)

      yield* machine.sh(`${path}; autopilotd start-worker --no-wait`)
      yield* serviceOn(machine).status(
        "the next night's work is finished",
        ({ worker_status }) =>
          worker_status === "stopped" && machine.read("code/shop/TODO.md")?.match(/ticked off/g)?.length === 2
      )
    })
  )
})
