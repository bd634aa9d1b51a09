import { execFile, execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { sha256Of } from "../../../src/Layers/files/Sha256.ts"
import { layer, SettingsFile } from "../../../src/Layers/settings/SettingsFile.ts"
import { user } from "../../fixtures/SettingsUser.ts"
import { folder } from "../../fixtures/SettingsWriter.ts"

describe("A settings file", () => {
  it.scoped("that is invalid is refused, with the line of each problem (D17)", () =>
    Effect.gen(function* () {
      const { refusalsOf } = yield* user
      const lines = yield* refusalsOf(
        [
          'modl = "opus"',
          "restart.max_backof_ms = 1",
          "[worker_command]",
          'type = "Binary"',
          "max_turns = 0",
          "[memory]",
          'hog_names = ["node",',
          "  7]",
          "min_available_bytes = 9223372036854775808",
          "[ui.panel]",
          "port = 1",
          "[env]",
          "TOKEN = 12345"
        ].join("\n")
      )
      assert.deepStrictEqual(lines, [
        ":1: modl is not a setting. Did you mean model?",
        ":2: restart.max_backof_ms is not a setting. Did you mean restart.max_backoff_ms?",
        ":3: worker_command.path is missing: it must be a path.",
        ":5: max_turns must be a whole number, at least 1, not 0.",
        ":7: memory.hog_names must be an array of texts, but the one at position 2 is 7.",
        ":9: memory.min_available_bytes must be a whole number of bytes, at least 0, not 9223372036854775808, which is beyond 2^53 - 1.",
        ":10: ui is not a setting.",
        ":13: env.TOKEN must be text without a NUL character, not a number."
      ])
    })
  )

  it.scoped("is refused at once however deep it is and however many of its keys are wrong", () =>
    Effect.gen(function* () {
      const { refusalsOf } = yield* user
      const deep = yield* refusalsOf(`a${".a".repeat(20_000)} = 1`)
      assert.deepStrictEqual(deep, [
        ": this is not valid TOML: its tables stand in one another more than 32 deep."
      ])
      const many = yield* refusalsOf(Array.from({ length: 5500 }, (_, n) => `wrong${n} = 1`).join("\n"))
      assert.strictEqual(many.length, 51)
      assert.include(many.at(-1), "and 5449 other keys have problems too: fix the ones above first")
    })
  )

  it.scoped("a setting in [worker_command] and at the top level with different values is refused", () =>
    Effect.gen(function* () {
      const { refusalsOf } = yield* user
      assert.deepStrictEqual(
        yield* refusalsOf('model = "opus"\n\n[worker_command]\ntype = "Cargo"\nmodel = "haiku"\n'),
        [
          ':5: worker_command.model is set twice with different values: model is "opus" at the top level and "haiku" here.'
        ]
      )
    })
  )

  it.scoped("what is not TOML is refused in one line that shows nothing of the file", () =>
    Effect.gen(function* () {
      const { refusalsOf } = yield* user
      const cases: ReadonlyArray<readonly [string, string]> = [
        ["model = opus\n", ":1: this is not valid TOML: invalid value (text must stand in quotes)."],
        ['a = 1\n[env]\nKEY = "s3cr3t\n', ":3: this is not valid TOML: "],
        ["a = 1\na = 2\n", ":2: this is not valid TOML: "]
      ]
      for (const [text, expected] of cases) {
        const [line = "", ...others] = yield* refusalsOf(text)
        assert.deepStrictEqual(others, [])
        assert.isTrue(line.startsWith(expected), line)
        assert.notInclude(line, "s3cr3t")
      }
    })
  )

  it.scoped("what is no text is refused", () =>
    Effect.gen(function* () {
      const { refusalsOf } = yield* user
      assert.deepStrictEqual(yield* refusalsOf(new Uint8Array([0x61, 0xff, 0xfe])), [
        ": is not UTF-8 text: save it in that encoding."
      ])
      assert.deepStrictEqual(yield* refusalsOf(new Uint8Array(1024 * 1024 + 1).fill(0x23)), [
        ": is larger than 1 MiB: it is hardly the file that was meant."
      ])
    })
  )

  it.scoped("that is missing is an error when --config names it; a folder always is (D19)", () =>
    Effect.gen(function* () {
      const { complaints, load, root, write } = yield* user
      assert.deepStrictEqual(yield* complaints({ configFile: "gone.toml" }), [
        `${root}/gone.toml: does not exist. Write it, or leave --config out to use the defaults.`
      ])
      assert.deepStrictEqual(yield* complaints({ configFile: root }), [`${root}: is a folder, not a file.`])
      yield* write("file", "")
      assert.deepStrictEqual(yield* complaints({ configFile: "file/daemon.toml" }), [
        `${root}/file/daemon.toml: cannot be read: a part of the path is a file, not a folder.`
      ])
      yield* Effect.promise(() => promisify(execFile)("mkfifo", [join(root, "pipe")]))
      assert.deepStrictEqual(yield* complaints({ configFile: "pipe" }), [
        `${root}/pipe: is not a regular file.`
      ])
      assert.strictEqual((yield* load({ configFile: "/dev/null" })).settings.model, "sonnet")
      yield* write("mine.toml", 'model = "opus"')
      assert.strictEqual((yield* load({ configFile: "mine.toml" })).settings.model, "opus")
    })
  )
})

describe("The text of a settings file", () => {
  it.scopedLive("is returned with its hash, also where it is not TOML", () =>
    Effect.gen(function* () {
      const files = yield* SettingsFile
      const home = yield* folder
      const path = join(home, "daemon.toml")
      const text = "model = \n# \ud83d\ude00"
      fs.writeFileSync(path, text)
      const sha256 = execFileSync("sha256sum", [path], { encoding: "utf8" }).slice(0, 64)
      assert.deepStrictEqual(yield* files.text(path, { mustExist: true }), {
        path,
        found: true,
        text,
        sha256
      })
      assert.isTrue(Either.isLeft(yield* Effect.either(files.read(path, { mustExist: true }))))

      const none = join(home, "none.toml")
      const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
      assert.deepStrictEqual(yield* files.text(none, { mustExist: false }), {
        path: none,
        found: false,
        text: "",
        sha256: emptySha256
      })
      assert.include((yield* Effect.flip(files.text(none, { mustExist: true }))).message, "does not exist")
      assert.deepStrictEqual(yield* files.read(none, { mustExist: false }), {
        path: none,
        found: false,
        text: "",
        raw: {}
      })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("is parsed as if it stood in the file, before it is written", () =>
    Effect.gen(function* () {
      const files = yield* SettingsFile
      const path = join(yield* folder, "daemon.toml")
      const text = 'model = "haiku"\n'
      const candidate = yield* files.parsed(path, text)
      assert.deepStrictEqual(candidate, {
        path,
        found: true,
        text,
        raw: { model: "haiku" }
      })
      yield* files.replace(path, { text: text, expectedSha256: sha256Of("") })
      assert.deepStrictEqual(yield* files.read(path, { mustExist: true }), candidate)
      const wrong = yield* Effect.flip(files.parsed(path, "model = opus\n"))
      assert.strictEqual(
        wrong.message,
        `${path}:1: this is not valid TOML: invalid value (text must stand in quotes).`
      )
    }).pipe(Effect.provide(layer))
  )
})
