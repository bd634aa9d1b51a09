import * as fs from "node:fs"
import { dirname } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { SettingsStore } from "../../../src/Layers/config/SettingsStore.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { Caller } from "../../../src/Layers/daemon/Caller.ts"
import { SettingsNotWritten } from "../../../src/Layers/settings/SettingsReplacement.ts"
import { configEdit } from "../../../src/Programs/config/ConfigEdit.ts"
import { heard, invocationOf, messageOf, noDaemon } from "../../fixtures/CommandUser.ts"
import { editorUser } from "../../fixtures/EditorUser.ts"
import { settingsInMemory, settingsPath } from "../../fixtures/SettingsInMemory.ts"

const original = '# mine\nmodel = "a"\n[restart]\njitter = 0\n'

type Steps = Parameters<typeof editorUser>
type Memory = ReturnType<typeof settingsInMemory>

const home = Layer.succeed(AutopilotHome, pathsBelow(dirname(settingsPath)))

const caller = Layer.succeed(Caller, {
  environment: {},
  cwd: "/",
  userHome: "/",
  program: ["node", "/opt/autopilotd/dist/autopilotd.js"]
})

/** A user with an editor, and the outcome. */
const editing = Effect.fnUntraced(function* (
  steps: Steps,
  memory: Pick<Memory, "layer"> = settingsInMemory(original),
  ...words: ReadonlyArray<string>
) {
  const user = yield* editorUser(...steps)
  const said = yield* heard(
    Effect.provide(
      configEdit(invocationOf("config", "edit", ...words)),
      Layer.mergeAll(noDaemon, memory.layer, user.layer, caller, home)
    )
  )
  return { ...said, seen: user.seen(), draftPath: user.draftPath() }
})

/** The text that was kept for the person; it is theirs, and here it is removed. */
const keptText = (message: string): string => {
  const path = /What you wrote is kept in (.*\/daemon\.toml)\.$/.exec(message)?.[1]
  assert.isDefined(path, message)
  const text = fs.readFileSync(path, "utf8")
  fs.rmSync(dirname(path), { recursive: true })
  return text
}

const isRemoved = (draftPath: string) => assert.isFalse(fs.existsSync(dirname(draftPath)))

describe("autopilotd config edit", () => {
  it.scopedLive("writes what was edited, says what it changes and leaves no copy", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory(original)
      const { draftPath, out, seen } = yield* editing(["sed -i 's/jitter = 0/jitter = 0.5/' \"$1\""], memory)
      assert.strictEqual(memory.file.text, original.replace("jitter = 0", "jitter = 0.5"))
      assert.strictEqual(out, "restart.jitter: 0 -> 0.5\nNo daemon is running: the next start reads it.\n")
      assert.deepStrictEqual(seen, [original])
      isRemoved(draftPath)
    })
  )

  it.scopedLive(
    "begins a new file with what init would write: the JSON Schema, and a project for the folder",
    () =>
      Effect.gen(function* () {
        const first = "#:schema /opt/autopilotd/schema/daemon.schema.json\n\n"
        const memory = settingsInMemory("")
        const unchanged = yield* editing(["true"], memory)
        const [offered = ""] = unchanged.seen
        assert.isTrue(offered.startsWith(`${first}# Settings of autopilotd.`), offered)
        assert.include(offered, 'working_dir = "/"\n')
        assert.strictEqual(
          unchanged.out,
          "Nothing was changed. autopilotd init writes the settings that were shown, as they stand.\n"
        )
        assert.strictEqual(memory.file.writes, 0)
        yield* editing(["sed -i 's/^max_budget = 20/max_budget = 5/' \"$1\""], memory)
        assert.strictEqual(memory.file.text, offered.replace("max_budget = 20", "max_budget = 5"))
      })
  )

  it.scopedLive("changes nothing when nothing was changed", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory(original)
      const { draftPath, out } = yield* editing(["true"], memory)
      assert.strictEqual(out, "Nothing was changed.\n")
      const json = yield* editing(["true"], memory, "--json")
      assert.deepStrictEqual(JSON.parse(json.out), { success: true, message: "Nothing was changed" })
      assert.strictEqual(memory.file.writes, 0)
      isRemoved(draftPath)
    })
  )

  it.scopedLive(
    "opens the editor again with the problems until the text is accepted, and removes its own lines",
    () =>
      Effect.gen(function* () {
        const memory = settingsInMemory(original)
        const { draftPath, out, seen } = yield* editing(
          [
            "sed -i 's/jitter = 0/jitter = 7/' \"$1\"",
            "sed -i 's/jitter = 7/jitter = 8/' \"$1\"",
            "sed -i 's/jitter = 8/jitter = 1/' \"$1\""
          ],
          memory
        )
        const refusal = [
          "#! autopilotd: These settings were refused, and nothing was changed. Lines like this one are taken out again.",
          "#! autopilotd: line 4:1: restart.jitter expects a number from 0 to 1.",
          ""
        ].join("\n")
        assert.deepStrictEqual(seen, [
          original,
          refusal + original.replace("jitter = 0", "jitter = 7"),
          refusal + original.replace("jitter = 0", "jitter = 8")
        ])
        assert.strictEqual(memory.file.text, original.replace("jitter = 0", "jitter = 1"))
        assert.strictEqual(memory.file.writes, 1)
        assert.include(out, "restart.jitter: 0 -> 1\n")
        isRemoved(draftPath)
      })
  )

  it.scopedLive("keeps a refused text that the user leaves unchanged, without its own lines", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory(original)
      const { result } = yield* editing(["sed -i 's/jitter = 0/jitter = 7/' \"$1\"", "true"], memory)
      assert.match(
        messageOf(result),
        /^line 4:1: restart\.jitter expects a number from 0 to 1\.\nNothing was changed\.\nWhat you wrote/
      )
      assert.strictEqual(keptText(messageOf(result)), original.replace("jitter = 0", "jitter = 7"))
      assert.strictEqual(memory.file.writes, 0)
    })
  )

  it.scopedLive("asks an editor that is a script three times at most, and keeps what it wrote", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory(original)
      const user = yield* editorUser("sed -i 's/jitter = 0/jitter = 7/' \"$1\"; echo '# more' >> \"$1\"")
      const said = yield* heard(
        Effect.provide(
          configEdit(invocationOf("config", "edit")),
          Layer.mergeAll(noDaemon, memory.layer, user.unattended, caller, home)
        )
      )
      assert.lengthOf(user.seen(), 3)
      const message = messageOf(said.result)
      assert.match(message, /^line 4:1: restart\.jitter expects .*\nNothing was changed\.\nWhat you wrote/)
      assert.strictEqual(
        keptText(message),
        `${original.replace("jitter = 0", "jitter = 7")}${"# more\n".repeat(3)}`
      )
      assert.strictEqual(memory.file.writes, 0)
    })
  )

  it.scopedLive("changes nothing when the user restores the former text after a refusal", () =>
    Effect.gen(function* () {
      const { draftPath, out } = yield* editing([
        "sed -i 's/jitter = 0/jitter = 7/' \"$1\"",
        "sed -i 's/jitter = 7/jitter = 0/' \"$1\""
      ])
      assert.strictEqual(out, "Nothing was changed.\n")
      isRemoved(draftPath)
    })
  )

  it.scopedLive(
    "keeps the text when another program has written the file meanwhile, and does not overwrite it",
    () =>
      Effect.gen(function* () {
        const memory = settingsInMemory(original)
        const busy = {
          layer: Layer.succeed(SettingsStore, {
            get: memory.get,
            set: (change) => {
              memory.file.text = "# theirs\n"
              return memory.set(change)
            }
          })
        }
        const { result } = yield* editing(["sed -i 's/jitter = 0/jitter = 1/' \"$1\""], busy)
        assert.match(messageOf(result), new RegExp(`^${settingsPath} has changed since it was read`))
        assert.strictEqual(keptText(messageOf(result)), original.replace("jitter = 0", "jitter = 1"))
        assert.strictEqual(memory.file.text, "# theirs\n")
      })
  )

  it.scopedLive("keeps the text when it cannot be written", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory(original)
      const full = {
        layer: Layer.succeed(SettingsStore, {
          get: memory.get,
          set: () =>
            new SettingsNotWritten({ path: settingsPath, reason: "was not written: the disk is full" })
        })
      }
      const { result } = yield* editing(['echo >> "$1"'], full)
      assert.match(messageOf(result), /the disk is full/)
      assert.strictEqual(keptText(messageOf(result)), `${original}\n`)
    })
  )

  it.scopedLive("changes nothing when the editor fails, and keeps what was typed before", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory(original)
      const untouched = yield* editing(["exit 1"], memory)
      assert.match(messageOf(untouched.result), /exited with code 1\. Nothing was changed\.$/)
      isRemoved(untouched.draftPath)
      const typed = yield* editing(['echo "x = 1" >> "$1"; exit 1'], memory)
      assert.strictEqual(keptText(messageOf(typed.result)), `${original}x = 1\n`)
      const later = yield* editing(["sed -i 's/jitter = 0/jitter = 7/' \"$1\"", "exit 1"], memory)
      assert.strictEqual(keptText(messageOf(later.result)), original.replace("jitter = 0", "jitter = 7"))
      const binary = yield* editing(['printf "\\377" > "$1"'], memory)
      assert.match(messageOf(binary.result), /is not UTF-8 text[^]*What you wrote is kept/)
      fs.rmSync(dirname(binary.draftPath), { recursive: true })
      assert.strictEqual(memory.file.writes, 0)
    })
  )

  it.scopedLive("keeps what was typed when it is interrupted", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory(original)
      const user = yield* editorUser(
        'echo "x = 1" >> "$1"; touch typed; until [ -e end ]; do sleep 0.05; done'
      )
      const said = { out: "", err: "" }
      const command = yield* Effect.fork(
        heard(
          Effect.provide(
            configEdit(invocationOf("config", "edit")),
            Layer.mergeAll(noDaemon, memory.layer, user.layer, caller, home)
          ),
          said
        )
      )
      yield* Effect.sync(() => fs.existsSync(`${user.root}/typed`)).pipe(
        Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (isThere) => isThere })
      )
      const end = yield* Effect.fork(Fiber.interrupt(command))
      fs.writeFileSync(`${user.root}/end`, "")
      yield* Fiber.join(end)
      assert.strictEqual(keptText(said.err.trim()), `${original}x = 1\n`)
      assert.strictEqual(memory.file.writes, 0)
    })
  )
})
