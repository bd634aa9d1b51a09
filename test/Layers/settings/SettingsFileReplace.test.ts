import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { sha256Of } from "../../../src/Layers/files/TextFile.ts"
import { layer, SettingsFile } from "../../../src/Layers/settings/SettingsFile.ts"
import { folder, promisesWith, systemError, writer, writerScript } from "../../fixtures/SettingsWriter.ts"
import { eventually } from "../../live/TestDaemon.ts"

const former = 'model = "opus"\n'
const fresh = 'model = "haiku"\n'

/** A folder of a user with a settings file. */
const settings = Effect.gen(function* () {
  const home = yield* folder
  const path = join(home, "daemon.toml")
  fs.writeFileSync(path, former, { mode: 0o600 })
  return { home, path, names: () => fs.readdirSync(home).toSorted() }
})

const read = (path: string) => fs.readFileSync(path, "utf8")

/** Puts a text in the place of another one. */
const replace = (path: string, text = fresh, from = former) =>
  Effect.flatMap(SettingsFile, (files) => files.replace(path, { text, expectedSha256: sha256Of(from) }))

/** What a person is told, less the path at its beginning. */
const refusal = (path: string, text?: string) =>
  Effect.map(Effect.flip(replace(path, text)), ({ _tag, message }) => {
    assert.isTrue(message.startsWith(`${path} `), message)
    return [_tag, message.slice(path.length + 1)]
  })

/** Of a user who is not root. */
const nobody = process.getuid?.() === 0 ? 65534 : (process.getuid?.() ?? 0)

/** Why no disk of one's own can be had here; undefined when it can. */
const noOwnDisk = ((): string | undefined => {
  try {
    execFileSync("unshare", ["-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"], { stdio: "ignore" })
    return undefined
  } catch {
    return "it needs root and mount namespaces (unshare -m)"
  }
})()
const whyNot = noOwnDisk === undefined ? "" : ` (skipped: ${noOwnDisk})`

describe("Replacing the settings file", () => {
  it.scopedLive("puts the new text there and keeps the former one beside it, and nothing else", () =>
    Effect.gen(function* () {
      const { home, names, path } = yield* settings
      yield* replace(path)
      assert.strictEqual(read(path), fresh)
      assert.strictEqual(read(`${path}.bak`), former)
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
      yield* replace(path, "", fresh)
      assert.strictEqual(read(path), "")
      assert.strictEqual(read(`${path}.bak`), fresh)
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
      // Written once more by its own text.
      yield* replace(path, "", "")
      assert.strictEqual(read(`${path}.bak`), "")
      assert.deepStrictEqual(fs.readdirSync(home).toSorted(), ["daemon.toml", "daemon.toml.bak"])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("keeps its mode and its owner; a new one is for its owner only and has no backup", () =>
    Effect.gen(function* () {
      const { home, path } = yield* settings
      fs.chownSync(path, nobody, process.getgid?.() ?? 0)
      for (const mode of [0o640, 0o664, 0o600]) {
        fs.writeFileSync(path, former)
        fs.chmodSync(path, mode)
        yield* replace(path)
        const stat = fs.statSync(path)
        assert.deepStrictEqual([stat.mode & 0o7777, stat.uid], [mode, nobody])
        assert.strictEqual(fs.statSync(`${path}.bak`).mode & 0o7777, mode)
      }
      const other = join(home, "other.toml")
      yield* replace(other, fresh, "")
      assert.strictEqual(read(other), fresh)
      assert.strictEqual(fs.statSync(other).mode & 0o7777, 0o600)
      assert.deepStrictEqual(fs.readdirSync(home).toSorted(), [
        "daemon.toml",
        "daemon.toml.bak",
        "other.toml"
      ])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive(
    "leaves a symbolic link a link and replaces what it leads to, also when that is not there yet",
    () =>
      Effect.gen(function* () {
        const { home, names, path } = yield* settings
        const dotfiles = join(home, "dotfiles")
        fs.mkdirSync(dotfiles)
        fs.renameSync(path, join(dotfiles, "autopilotd.toml"))
        fs.symlinkSync("dotfiles/autopilotd.toml", join(home, "middle"))
        fs.symlinkSync(join(home, "middle"), path)
        yield* replace(path)
        assert.strictEqual(fs.readlinkSync(path), join(home, "middle"))
        assert.strictEqual(fs.readlinkSync(join(home, "middle")), "dotfiles/autopilotd.toml")
        assert.strictEqual(read(join(dotfiles, "autopilotd.toml")), fresh)
        assert.deepStrictEqual(fs.readdirSync(dotfiles).toSorted(), [
          "autopilotd.toml",
          "autopilotd.toml.bak"
        ])
        assert.deepStrictEqual(names(), ["daemon.toml", "dotfiles", "middle"])

        const dangling = join(home, "dangling.toml")
        fs.symlinkSync("dotfiles/new.toml", dangling)
        yield* replace(dangling, fresh, "")
        assert.strictEqual(fs.readlinkSync(dangling), "dotfiles/new.toml")
        assert.strictEqual(read(join(dotfiles, "new.toml")), fresh)
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive(
    "is refused when the file is not the one that was read, and names the one that is there",
    () =>
      Effect.gen(function* () {
        const { names, path } = yield* settings
        fs.writeFileSync(path, "# somebody else's\n")
        const stale = yield* Effect.flip(replace(path))
        assert(stale._tag === "StaleSettings")
        assert.strictEqual(stale.sha256, sha256Of("# somebody else's\n"))
        assert.strictEqual(
          stale.message,
          `${path} has been changed by somebody else meanwhile, so nothing was written. Read it again and repeat the change.`
        )
        assert.strictEqual(read(path), "# somebody else's\n")
        assert.deepStrictEqual(names(), ["daemon.toml"])
        fs.rmSync(path)
        const gone = yield* Effect.flip(replace(path))
        assert(gone._tag === "StaleSettings")
        assert.strictEqual(gone.sha256, sha256Of(""))
        assert.deepStrictEqual(names(), [])
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive(
    "is refused also when somebody edits the file in place, or makes it, at the last moment",
    () =>
      Effect.gen(function* () {
        const { names, path } = yield* settings
        let before = (): void => undefined
        // Linking is the last step before the last look.
        yield* promisesWith("link", (original) => (from, to) => {
          before()
          return original(from, to)
        })
        before = () => fs.writeFileSync(path, "# an editor's\n")
        assert.strictEqual((yield* Effect.flip(replace(path)))._tag, "StaleSettings")
        assert.strictEqual(read(path), "# an editor's\n")
        assert.deepStrictEqual(names(), ["daemon.toml"])

        before = () => fs.rmSync(path)
        assert.strictEqual(
          (yield* Effect.flip(replace(path, fresh, "# an editor's\n")))._tag,
          "StaleSettings"
        )
        assert.deepStrictEqual(names(), [])

        before = () => fs.writeFileSync(path, "# an editor's\n")
        const made = yield* Effect.flip(replace(path, fresh, ""))
        assert(made._tag === "StaleSettings")
        assert.strictEqual(made.sha256, sha256Of("# an editor's\n"))
        assert.strictEqual(read(path), "# an editor's\n")
        assert.deepStrictEqual(names(), ["daemon.toml"])
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive("does without hard links where there are none", () =>
    Effect.gen(function* () {
      const { home, names, path } = yield* settings
      yield* promisesWith("link", () => () => Promise.reject(systemError("EPERM")))
      fs.chmodSync(path, 0o640)
      yield* replace(path)
      assert.deepStrictEqual([read(path), read(`${path}.bak`)], [fresh, former])
      assert.strictEqual(fs.statSync(`${path}.bak`).mode & 0o7777, 0o640)
      yield* replace(join(home, "new.toml"), fresh, "")
      assert.strictEqual(read(join(home, "new.toml")), fresh)
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak", "new.toml"])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("refuses a text that could not be read back", () =>
    Effect.gen(function* () {
      const { names, path } = yield* settings
      assert.deepStrictEqual(yield* refusal(path, 'model = "\ud83d"'), [
        "SettingsNotWritten",
        "was not written: the new text has half of a character in it (a lone surrogate). Remove that."
      ])
      assert.deepStrictEqual(yield* refusal(path, `#${"é".repeat(512 * 1024)}`), [
        "SettingsNotWritten",
        "was not written: the new text is larger than 1 MiB. Shorten it."
      ])
      assert.deepStrictEqual([read(path), names()], [former, ["daemon.toml"]])
      const longest = `#😀${"é".repeat(512 * 1024 - 3)}\n`
      yield* replace(path, longest)
      const { text } = yield* Effect.flatMap(SettingsFile, (files) => files.text(path, { mustExist: true }))
      assert.isTrue(text === longest)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("says in one sentence why it cannot be, and what to do", () =>
    Effect.gen(function* () {
      const { home, names, path } = yield* settings
      const missing = join(home, "none/daemon.toml")
      assert.deepStrictEqual(yield* refusal(missing), [
        "SettingsNotWritten",
        `was not written: there is no folder ${home}/none. Make it first.`
      ])
      const lost = join(home, "lost.toml")
      fs.symlinkSync("nowhere/daemon.toml", lost)
      assert.deepStrictEqual(yield* refusal(lost), [
        "SettingsNotWritten",
        `was not written: there is no folder ${home}/nowhere. Make it first.`
      ])
      fs.rmSync(lost)
      assert.deepStrictEqual(yield* refusal(join(path, "daemon.toml")), [
        "SettingsNotWritten",
        "was not written: a part of the path is a file, not a folder. Choose another path."
      ])
      const circle = join(home, "circle.toml")
      fs.symlinkSync("circle.toml", circle)
      assert.deepStrictEqual(yield* refusal(circle), [
        "SettingsNotWritten",
        "was not written: its symbolic links lead in a circle. Remove one of them."
      ])
      fs.rmSync(circle)
      assert.deepStrictEqual(yield* refusal(home), ["SettingsNotWritten", "is a folder, not a file."])
      const device = yield* Effect.flip(replace("/dev/null", fresh, ""))
      assert.strictEqual(device.message, "/dev/null was not written: null is a device. Choose a file.")
      assert.isTrue(fs.statSync("/dev/null").isCharacterDevice())
      fs.mkdirSync(`${path}.bak`)
      assert.deepStrictEqual(yield* refusal(path), [
        "SettingsNotWritten",
        `was not written: ${path}.bak is a folder, not a file. Rename it.`
      ])
      assert.deepStrictEqual([read(path), names()], [former, ["daemon.toml", "daemon.toml.bak"]])
      assert.deepStrictEqual(yield* refusal("/proc/self/daemon.toml"), ["StaleSettings", stale])
    }).pipe(Effect.provide(layer))
  )
  const stale =
    "has been changed by somebody else meanwhile, so nothing was written. Read it again and repeat the change."

  it.scopedLive("is not for who may not write the file or its folder", () =>
    Effect.gen(function* () {
      const script = yield* writerScript
      const { home, names, path } = yield* settings
      const asNobody = (file: string) =>
        Effect.gen(function* () {
          const { begin, result } = yield* writer(script, ["replace", file, fresh], {
            env: { USER_ID: String(nobody) }
          })
          yield* begin
          return yield* result
        })
      const denied = `${path} was not written: permission denied. Make ${path} and its folder writable for you.`
      for (const place of [path, home]) fs.chownSync(place, nobody, process.getgid?.() ?? 0)
      fs.chmodSync(home, 0o555)
      assert.strictEqual(yield* asNobody(path), denied)
      fs.chmodSync(home, 0o755)
      fs.chmodSync(path, 0o444)
      assert.strictEqual(yield* asNobody(path), denied)
      assert.deepStrictEqual([read(path), names()], [former, ["daemon.toml"]])
      fs.chmodSync(path, 0o600)
      assert.strictEqual(yield* asNobody(path), "written")
      assert.strictEqual(read(path), fresh)
    })
  )

  it.scopedLive.skipIf(noOwnDisk !== undefined)(
    `leaves everything as it was on a full disk and on a read-only one${whyNot}`,
    () =>
      Effect.gen(function* () {
        const script = yield* writerScript
        const { home, names, path } = yield* settings
        const on = (disk: string, text: string) =>
          Effect.gen(function* () {
            const report = join(home, "report")
            const { begin, result } = yield* writer(
              script,
              ["replace", join(home, "disk/daemon.toml"), text],
              {
                // What is on the disk afterwards is told by a file beside it: the disk goes with its processes.
                through: [
                  "unshare",
                  "-m",
                  "sh",
                  "-c",
                  `cd "$0" && mkdir -p disk && mount -t tmpfs -o size=64k none disk && cp daemon.toml disk && ${disk}; ` +
                    '"$@"; code=$?; { cat disk/daemon.toml; ls -A disk; } > report; exit $code',
                  home
                ]
              }
            )
            yield* begin
            return [yield* result, read(report)]
          })
        const longer = `#${"x".repeat(100_000)}\n`
        const file = join(home, "disk/daemon.toml")
        assert.deepStrictEqual(yield* on("true", longer), [
          `${file} was not written: the disk is full. Free some space there.`,
          `${former}daemon.toml\n`
        ])
        assert.deepStrictEqual(yield* on("mount -o remount,ro disk", fresh), [
          `${file} was not written: it is on a read-only file system. Make that writable, or use a file elsewhere.`,
          `${former}daemon.toml\n`
        ])
        assert.deepStrictEqual(yield* on("true", fresh), [
          "written",
          `${fresh}daemon.toml\ndaemon.toml.bak\n`
        ])
        assert.deepStrictEqual([read(path), names()], [former, ["daemon.toml", "disk", "report"]])
      })
  )

  it.scoped("a disk that does not answer holds up nobody, and is written to by one at a time", () =>
    Effect.gen(function* () {
      const { names, path } = yield* settings
      const reached = yield* Deferred.make<void>()
      let answer = (): void => undefined
      let isHanging = true
      yield* promisesWith("rename", (original) => async (from, to) => {
        if (isHanging) {
          Effect.runSync(Deferred.succeed(reached, undefined))
          await new Promise<void>((resolve) => {
            answer = resolve
          })
        }
        await original(from, to)
      })
      const first = yield* Effect.fork(Effect.uninterruptible(Effect.flip(replace(path))))
      yield* Deferred.await(reached)
      yield* TestClock.adjust("5 seconds")
      const told = yield* Fiber.join(first)
      assert.strictEqual(
        told.message,
        `${path} was perhaps not written: the disk does not answer. What was begun is finished once it does. ` +
          "Look at the disk, then read the file again."
      )
      // The clock stands still: it is refused at once, or never.
      const second = yield* Effect.flip(replace(path))
      assert.strictEqual(
        second.message,
        `${path} was not written: the disk has not answered to an earlier write yet. Look at the disk.`
      )
      assert.strictEqual(read(path), former)
      isHanging = false
      answer()
      yield* TestServices.provideLive(
        eventually(
          "the first write was finished",
          Effect.sync(() => (read(path) === fresh && names().length === 2) || undefined)
        )
      )
      yield* TestServices.provideLive(
        eventually("it can be written again", replace(path, former, fresh).pipe(Effect.as(true)))
      )
      assert.deepStrictEqual([read(path), read(`${path}.bak`)], [former, fresh])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("whose caller goes away in the middle is finished all the same", () =>
    Effect.gen(function* () {
      const { names, path } = yield* settings
      const reached = yield* Deferred.make<void>()
      let goOn: (() => void) | undefined
      yield* promisesWith("rename", (original) => async (from, to) => {
        Effect.runSync(Deferred.succeed(reached, undefined))
        if (goOn === undefined)
          await new Promise<void>((resolve) => {
            goOn = resolve
          })
        await original(from, to)
      })
      const caller = yield* Effect.fork(replace(path))
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(caller)
      assert.strictEqual(read(path), former)
      goOn?.()
      // The next one waits for it.
      yield* replace(path, former, fresh)
      assert.deepStrictEqual([read(path), read(`${path}.bak`)], [former, fresh])
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
    }).pipe(Effect.provide(layer))
  )
})

describe("Many writers of one settings file", () => {
  it.scopedLive("lose nobody's change, and whoever reads meanwhile never sees half a file or none", () =>
    Effect.gen(function* () {
      const script = yield* writerScript
      const { names, path } = yield* settings
      fs.writeFileSync(path, "")
      const processes = 20
      const linesOf = (name: number) => [1, 2].map((line) => `[projects.p${name}-${line}]`)
      const writers = yield* Effect.forEach(
        Array.from({ length: processes }, (_, name) => name),
        (name) => writer(script, ["append", path, ...linesOf(name)]),
        { concurrency: 4 }
      )
      let seen = 0
      let looks = 0
      const look = Effect.gen(function* () {
        const files = yield* SettingsFile
        // A half line would be no TOML, and a line twice neither.
        const { raw } = yield* files.read(path, { mustExist: true })
        const count = Object.keys(raw["projects"] ?? {}).length
        assert.isAtLeast(count, seen)
        seen = count
        looks++
      })
      const reader = yield* Effect.fork(Effect.forever(Effect.zipRight(look, Effect.yieldNow())))
      const here = Effect.forEach(
        [100, 101, 102],
        (name) =>
          Effect.forEach(linesOf(name), (line) =>
            Effect.gen(function* () {
              const files = yield* SettingsFile
              const { sha256, text } = yield* files.text(path, { mustExist: true })
              yield* files.replace(path, { text: `${text}${line}\n`, expectedSha256: sha256 })
            }).pipe(
              Effect.retry({
                while: (error) => error._tag === "StaleSettings" || error.message.includes("another program")
              })
            )
          ),
        { concurrency: "unbounded" }
      )
      yield* Effect.forEach(writers, ({ begin }) => begin)
      yield* Effect.all([here, ...writers.map(({ result }) => result)], { concurrency: "unbounded" })
      const outcome = yield* Fiber.poll(reader)
      assert.strictEqual(outcome._tag, "None", "the reader saw something wrong")
      yield* Fiber.interrupt(reader)
      const all = [...writers.keys(), 100, 101, 102].flatMap(linesOf)
      assert.deepStrictEqual(read(path).trimEnd().split("\n").toSorted(), all.toSorted())
      assert.isAbove(looks, all.length)
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
    }).pipe(Effect.provide(layer))
  )
})

describe("A kill -9 of who writes the settings file", () => {
  const texts = ["a", "b"].map((letter) => `# ${letter.repeat(60)}\n`.repeat(5000))
  const isWhole = (text: string) => texts.includes(text)

  /** What holds whenever a writer was killed. */
  const assertWhole = (path: string) =>
    Effect.gen(function* () {
      assert.isTrue(isWhole(read(path)), "the file is whole")
      if (fs.existsSync(`${path}.bak`)) assert.isTrue(isWhole(read(`${path}.bak`)), "its backup is whole")
    })

  it.scopedLive(
    "leaves the old file or the new one, whole, before each step, and the next write clears up",
    () =>
      Effect.gen(function* () {
        const script = yield* writerScript
        const { home, names, path } = yield* settings
        const [old = "", next = ""] = texts
        fs.writeFileSync(join(home, "text"), next)
        fs.writeFileSync(join(home, ".autopilotd-notes"), "of the user")
        const outcomes: Array<string> = []
        let isKilled = true
        for (let step = 1; isKilled; step++) {
          fs.writeFileSync(path, old)
          isKilled = yield* Effect.scoped(
            Effect.gen(function* () {
              const { begin, result } = yield* writer(script, ["die", path, join(home, "text"), String(step)])
              yield* begin
              return (yield* result) === undefined
            })
          )
          yield* assertWhole(path)
          outcomes.push(read(path) === old ? "old" : "new")
          const leftovers = names().filter(
            (name) => name.startsWith(".autopilotd-") && name !== ".autopilotd-notes"
          )
          if (leftovers.length > 0) outcomes.push("leftovers")
          yield* replace(path, "# next\n", read(path))
          assert.deepStrictEqual(names(), [".autopilotd-notes", "daemon.toml", "daemon.toml.bak", "text"])
        }
        // Or nothing was tried.
        assert.isAbove(outcomes.length, 8)
        for (const outcome of ["old", "new", "leftovers"]) assert.include(outcomes, outcome)
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive("leaves it whole at any moment, with nobody locked out", () =>
    Effect.gen(function* () {
      const script = yield* writerScript
      const { home, path } = yield* settings
      const [old = "", next = ""] = texts
      fs.writeFileSync(path, old)
      const files = [join(home, "a"), join(home, "b")]
      for (const [index, file] of files.entries()) fs.writeFileSync(file, texts[index] ?? "")
      for (const [round, leftover] of [
        ".new",
        ".bak",
        ".new",
        ".bak",
        ".new",
        ".bak",
        ".new",
        ".bak"
      ].entries()) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { begin, child, result } = yield* writer(script, ["alternate", path, ...files])
            yield* begin
            // As soon as one of its files is seen for the nth time it may be at any step of that write or the next.
            let seen = ""
            for (let left = round + 1; left > 0; ) {
              const name = fs
                .readdirSync(home)
                .find((one) => one.endsWith(leftover) && one.startsWith(".autopilotd-"))
              if (name !== undefined && name !== seen) {
                seen = name
                left--
              }
              yield* Effect.yieldNow()
            }
            child.kill("SIGKILL")
            assert.isUndefined(yield* result)
          })
        )
        yield* assertWhole(path)
        const current = read(path)
        yield* replace(path, current === old ? next : old, current)
        assert.deepStrictEqual(
          fs.readdirSync(home).filter((name) => name.startsWith(".autopilotd-")),
          []
        )
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("The text of a settings file", () => {
  it.scopedLive("is had also where it is no TOML, with the hash of what stands in the file", () =>
    Effect.gen(function* () {
      const files = yield* SettingsFile
      const { home, path } = yield* settings
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
        sha256: emptySha256,
        raw: {}
      })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("that is only thought of is read as if it stood there", () =>
    Effect.gen(function* () {
      const files = yield* SettingsFile
      const { path } = yield* settings
      const thought = yield* files.parsed(path, fresh)
      assert.deepStrictEqual(thought, {
        path,
        found: true,
        text: fresh,
        sha256: sha256Of(fresh),
        raw: { model: "haiku" }
      })
      yield* replace(path, fresh)
      assert.deepStrictEqual(yield* files.read(path, { mustExist: true }), thought)
      const wrong = yield* Effect.flip(files.parsed(path, "model = opus\n"))
      assert.strictEqual(
        wrong.message,
        `${path}:1: this is not valid TOML: invalid value (text must stand in quotes).`
      )
    }).pipe(Effect.provide(layer))
  )
})
