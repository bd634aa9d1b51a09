import * as fs from "node:fs"
import { dirname } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Editor } from "../../../src/Layers/config/Editor.ts"
import { editorUser } from "../../fixtures/EditorUser.ts"

const edited = (text: string) =>
  Effect.scoped(
    Effect.flatMap(
      Effect.flatMap(Editor, ({ draft }) => draft),
      (draft) => draft.edit(text)
    )
  )

describe("the editor", () => {
  it.scopedLive("gets a private copy named .toml, whose text is returned when it exits", () =>
    Effect.gen(function* () {
      const user = yield* editorUser('printf "more" >> "$1"')
      const text = yield* Effect.provide(edited("a = 1\n"), user.layer)
      assert.strictEqual(text, "a = 1\nmore")
      assert.match(user.draftPath(), /\/autopilotd-[^/]+\/daemon\.toml$/)
      assert.strictEqual(user.read("modes"), "600\n700\n")
      assert.isFalse(fs.existsSync(dirname(user.draftPath())))
    })
  )

  it.scopedLive("is VISUAL, then EDITOR, and may be a command with arguments", () =>
    Effect.gen(function* () {
      const user = yield* editorUser('printf %s "$2" >> "$1"')
      const layer = user.layerWith({
        VISUAL: `env FROM=visual sh -c '${user.editor.replaceAll("'", '"')} "$1" "$FROM"' sh`,
        EDITOR: "false"
      })
      assert.strictEqual(yield* Effect.provide(edited(""), layer), "visual")
      const empty = user.layerWith({ VISUAL: " ", EDITOR: user.editor })
      assert.strictEqual(yield* Effect.provide(edited("a"), empty), "a")
    })
  )

  const failures: ReadonlyArray<readonly [what: string, step: string, message: RegExp]> = [
    ["ends badly", "exit 3", /^The editor .* exited with code 3\. Nothing was changed\.$/],
    ["is killed", "kill -KILL $$", /^The editor .* (exited with code 137|was killed by SIGKILL)\. /],
    ["removes the file", 'rm "$1"', /daemon\.toml does not exist/],
    ["leaves what is no text", 'printf "\\377" > "$1"', /is not UTF-8 text/]
  ]
  for (const [what, step, message] of failures) {
    it.scopedLive(`fails when it ${what}`, () =>
      Effect.gen(function* () {
        const user = yield* editorUser(step)
        const error = yield* Effect.flip(Effect.provide(edited("a"), user.layer))
        assert.match(error.message, message)
        assert.isFalse(fs.existsSync(dirname(user.draftPath())))
      })
    )
  }

  it.scopedLive("that cannot be run is reported with the variables to set", () =>
    Effect.gen(function* () {
      const user = yield* editorUser("true")
      const error = yield* Effect.flip(
        Effect.provide(edited("a"), user.layerWith({ EDITOR: "/no/such/editor --wait" }))
      )
      assert.strictEqual(
        error.message,
        "The editor /no/such/editor --wait could not be run: set VISUAL or EDITOR to one that can. Nothing was changed."
      )
    })
  )

  it.scopedLive("leaves a copy that is to be kept", () =>
    Effect.gen(function* () {
      const user = yield* editorUser("true")
      const path = yield* Effect.provide(
        Effect.scoped(
          Effect.gen(function* () {
            const draft = yield* (yield* Editor).draft
            yield* draft.edit("a")
            yield* draft.keep("b")
            return draft.path
          })
        ),
        user.layer
      )
      assert.strictEqual(fs.readFileSync(path, "utf8"), "b")
      fs.rmSync(dirname(path), { recursive: true })
    })
  )
})
