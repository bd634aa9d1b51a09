import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { sha256Of } from "../../../src/Layers/files/Sha256.ts"
import { layer, SettingsFile } from "../../../src/Layers/settings/SettingsFile.ts"
import { settingsReplacement } from "../../../src/Layers/settings/SettingsReplacement.ts"
import { noSmallDisk, unlessMissing } from "../../fixtures/Missing.ts"
import { folder, promisesWith, systemError, writer, writerScript } from "../../fixtures/SettingsWriter.ts"
import { eventually } from "../../live/TestDaemon.ts"

const former = 'model = "opus"\n'
const fresh = 'model = "haiku"\n'

/** A folder with a settings file. */
const settings = Effect.gen(function* () {
  const home = yield* folder
  const path = join(home, "daemon.toml")
  fs.writeFileSync(path, former, { mode: 0o600 })
  return { home, path, names: () => fs.readdirSync(home).toSorted() }
})

const read = (path: string) => fs.readFileSync(path, "utf8")

const replace = (path: string, text = fresh, from = former) =>
  Effect.flatMap(SettingsFile, (files) => files.replace(path, { text, expectedSha256: sha256Of(from) }))

/** Holds the lock on a folder, from when it is returned until it is killed. */
const lockHolder = (folder: string) =>
  Effect.acquireRelease(
    Effect.async<ChildProcess>((resume) => {
      const child = spawn("flock", ["-F", folder, "sh", "-c", "echo held; exec sleep 1000"], {
        stdio: ["ignore", "pipe", "ignore"]
      })
      child.stdout.once("data", () => resume(Effect.succeed(child)))
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** Returns when a flock(1) of this process sleeps, as it does while another program holds the lock. */
const flockIsWaiting = TestServices.provideLive(
  eventually(
    "flock waits",
    () =>
      fs.readdirSync("/proc").some((pid) => {
        try {
          return fs.readFileSync(`/proc/${pid}/stat`, "latin1").includes(`(flock) S ${process.pid} `)
        } catch {
          return false
        }
      }) || undefined
  )
)

/** The message for the user, without the path at its beginning. */
const refusal = (path: string, text?: string) =>
  Effect.map(Effect.flip(replace(path, text)), ({ _tag, message }) => {
    assert.isTrue(message.startsWith(`${path} `), message)
    return [_tag, message.slice(path.length + 1)]
  })

/** The id of a user who is not root. */
const nobody = process.getuid?.() === 0 ? 65534 : (process.getuid?.() ?? 0)

describe("Replacing the settings file", () => {
  it.scopedLive("writes the new text and keeps the former one beside it, and nothing else", () =>
    Effect.gen(function* () {
      const { names, path } = yield* settings
      yield* replace(path)
      assert.strictEqual(read(path), fresh)
      assert.strictEqual(read(`${path}.bak`), former)
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
      yield* replace(path, "", fresh)
      assert.strictEqual(read(path), "")
      assert.strictEqual(read(`${path}.bak`), fresh)
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("keeps the mode; a new file is for its owner only and has no backup", () =>
    Effect.gen(function* () {
      const { home, path } = yield* settings
      for (const mode of [0o640, 0o664, 0o600]) {
        fs.writeFileSync(path, former)
        fs.chmodSync(path, mode)
        yield* replace(path)
        assert.strictEqual(fs.statSync(path).mode & 0o7777, mode)
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

  it.scopedLive("keeps a symbolic link and replaces its target, also an absent one", () =>
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
      assert.deepStrictEqual(fs.readdirSync(dotfiles).toSorted(), ["autopilotd.toml", "autopilotd.toml.bak"])
      assert.deepStrictEqual(names(), ["daemon.toml", "dotfiles", "middle"])

      const dangling = join(home, "dangling.toml")
      fs.symlinkSync("dotfiles/new.toml", dangling)
      yield* replace(dangling, fresh, "")
      assert.strictEqual(fs.readlinkSync(dangling), "dotfiles/new.toml")
      assert.strictEqual(read(join(dotfiles, "new.toml")), fresh)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("is refused with the present hash when the file is not the one that was read", () =>
    Effect.gen(function* () {
      const { names, path } = yield* settings
      fs.writeFileSync(path, "# an editor's\n")
      const stale = yield* Effect.flip(replace(path))
      assert(stale._tag === "StaleSettings")
      assert.strictEqual(stale.sha256, sha256Of("# an editor's\n"))
      assert.strictEqual(
        stale.message,
        `${path} has changed since it was read, so nothing was written. Read it again and repeat the change.`
      )
      assert.strictEqual(read(path), "# an editor's\n")
      assert.deepStrictEqual(names(), ["daemon.toml"])
      fs.rmSync(path)
      const gone = yield* Effect.flip(replace(path))
      assert(gone._tag === "StaleSettings")
      assert.strictEqual(gone.sha256, sha256Of(""))
      assert.deepStrictEqual(names(), [])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive(
    "is refused also when a program edits the file in place, removes or creates it while the new one is written",
    () =>
      Effect.gen(function* () {
        const { names, path } = yield* settings
        let before = (): void => undefined
        yield* promisesWith("open", (original) => (...args) => {
          if (args[1] === "wx") before()
          return original(...args)
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

  it.scopedLive("keeps the former file also on a disk without hard links", () =>
    Effect.gen(function* () {
      const { names, path } = yield* settings
      yield* promisesWith("link", () => () => Promise.reject(systemError("EPERM")))
      fs.chmodSync(path, 0o640)
      yield* replace(path)
      assert.deepStrictEqual([read(path), read(`${path}.bak`)], [fresh, former])
      assert.strictEqual(fs.statSync(`${path}.bak`).mode & 0o7777, 0o640)
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
    }).pipe(Effect.provide(layer))
  )

  unlessMissing(noSmallDisk)("overwrites a file that is mounted by itself, and keeps the former text", () =>
    Effect.gen(function* () {
      const script = yield* writerScript
      const { names, path } = yield* settings
      const long = `${former}# ${"x".repeat(1000)}\n`
      fs.writeFileSync(path, long)
      const { begin, result } = yield* writer(script, ["replace", path, fresh], {
        through: ["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$0" && exec "$@"', path]
      })
      yield* begin
      assert.strictEqual(yield* result, "written")
      assert.deepStrictEqual([read(path), read(`${path}.bak`)], [fresh, long])
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
    })
  )

  unlessMissing(noSmallDisk)(
    "leaves a file that is mounted by itself as it was when its own disk is full",
    () =>
      Effect.gen(function* () {
        const script = yield* writerScript
        const { home, names, path } = yield* settings
        const { begin, result } = yield* writer(script, ["replace", path, `#${"x".repeat(100_000)}\n`], {
          through: [
            "unshare",
            "-m",
            "sh",
            "-c",
            'cd "$0" && mkdir disk && mount -t tmpfs -o size=64k none disk && cp daemon.toml disk && ' +
              'mount --bind disk/daemon.toml daemon.toml; "$@"; code=$?; cp daemon.toml report; exit $code',
            home
          ]
        })
        yield* begin
        assert.strictEqual(yield* result, `${path} was not written: the disk is full. Free some space there.`)
        assert.strictEqual(read(join(home, "report")), former)
        assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak", "disk", "report"])
      })
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

  it.scopedLive("that is not possible says why and what to do, in one sentence", () =>
    Effect.gen(function* () {
      const { home, names, path } = yield* settings
      const missing = join(home, "none/daemon.toml")
      assert.deepStrictEqual(yield* refusal(missing), [
        "SettingsNotWritten",
        `was not written: there is no folder ${home}/none. Create it.`
      ])
      const lost = join(home, "lost.toml")
      fs.symlinkSync("nowhere/daemon.toml", lost)
      assert.deepStrictEqual(yield* refusal(lost), [
        "SettingsNotWritten",
        `was not written: there is no folder ${home}/nowhere. Create it.`
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
      assert.strictEqual(device.message, "/dev/null was not written: it is a device. Choose a file.")
      assert.isTrue(fs.statSync("/dev/null").isCharacterDevice())
      assert.deepStrictEqual([read(path), names()], [former, ["daemon.toml"]])
      assert.deepStrictEqual(yield* refusal("/proc/self/daemon.toml"), ["StaleSettings", stale])
    }).pipe(Effect.provide(layer))
  )
  const stale = "has changed since it was read, so nothing was written. Read it again and repeat the change."

  it.scopedLive("is refused to a user who may not write the file or its folder", () =>
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
      const denied = `${path} was not written: permission denied. Make it and its folder writable for you.`
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

  unlessMissing(noSmallDisk)("leaves everything as it was on a full disk and on a read-only one", () =>
    Effect.gen(function* () {
      const script = yield* writerScript
      const { home, names, path } = yield* settings
      const on = (disk: string, text: string) =>
        Effect.gen(function* () {
          const report = join(home, "report")
          const { begin, result } = yield* writer(script, ["replace", join(home, "disk/daemon.toml"), text], {
            // The disk vanishes with its processes, so they copy what is on it to a file beside it.
            through: [
              "unshare",
              "-m",
              "sh",
              "-c",
              `cd "$0" && mkdir -p disk && mount -t tmpfs -o size=64k none disk && cp daemon.toml disk && ${disk}; ` +
                '"$@"; code=$?; { cat disk/daemon.toml; ls -A disk; } > report; exit $code',
              home
            ]
          })
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
        `${file} was not written: it is on a read-only file system. Make that writable.`,
        `${former}daemon.toml\n`
      ])
      assert.deepStrictEqual(yield* on("true", fresh), ["written", `${fresh}daemon.toml\ndaemon.toml.bak\n`])
      assert.deepStrictEqual([read(path), names()], [former, ["daemon.toml", "disk", "report"]])
    })
  )

  it.scoped("fails after ten seconds when the disk hangs, and the next one waits for the disk", () =>
    Effect.gen(function* () {
      const { names, path } = yield* settings
      const reached = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<void>()
      yield* promisesWith("rename", (original) => async (from, to) => {
        Effect.runSync(Deferred.succeed(reached, undefined))
        await Effect.runPromise(Deferred.await(answer))
        await original(from, to)
      })
      const first = yield* Effect.fork(Effect.uninterruptible(Effect.flip(replace(path))))
      yield* Deferred.await(reached)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(
        (yield* Fiber.join(first)).message,
        `${path} was perhaps not written: the disk does not answer. A write that has begun ends when it does. ` +
          "Check the disk, then read the file again."
      )
      const second = yield* Effect.fork(Effect.flip(replace(path, "# second\n")))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(
        (yield* Fiber.join(second)).message,
        `${path} was not written: another program or the disk has held it up for 10s. ` +
          "Let the program finish or check the disk, then try again."
      )
      assert.strictEqual(read(path), former)
      yield* Deferred.succeed(answer, undefined)
      // It has to wait for the first write. The second one was given up.
      yield* replace(path, former, fresh)
      assert.deepStrictEqual([read(path), read(`${path}.bak`)], [former, fresh])
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
    }).pipe(Effect.provide(layer))
  )

  it.scoped("waits while another program holds the lock, for ten seconds", () =>
    Effect.gen(function* () {
      const { home, path } = yield* settings
      const other = yield* lockHolder(home)
      const refused = yield* Effect.fork(Effect.flip(replace(path)))
      yield* flockIsWaiting
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(
        (yield* Fiber.join(refused)).message,
        `${path} was not written: another program or the disk has held it up for 10s. ` +
          "Let the program finish or check the disk, then try again."
      )
      const waiting = yield* Effect.fork(replace(path))
      yield* flockIsWaiting
      assert.strictEqual(read(path), former)
      other.kill("SIGKILL")
      yield* Fiber.join(waiting)
      assert.strictEqual(read(path), fresh)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("works without flock(1)", () =>
    Effect.gen(function* () {
      const { path } = yield* settings
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const programs = process.env["PATH"]
          process.env["PATH"] = "/nonexistent"
          return programs
        }),
        (programs) => Effect.sync(() => void (process.env["PATH"] = programs))
      )
      yield* replace(path)
      assert.strictEqual(read(path), fresh)
      assert.strictEqual((yield* Effect.flip(replace(path)))._tag, "StaleSettings")
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("is finished also when its caller is interrupted in the middle", () =>
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

describe("Writers with nothing but the lock in common", () => {
  it.scopedLive("lose no change", () =>
    Effect.gen(function* () {
      const { names, path } = yield* settings
      fs.writeFileSync(path, "")
      const lines = Array.from({ length: 6 }, (_, number) => `# line ${number}\n`)
      let stale = 0
      yield* Effect.forEach(
        lines,
        (line) => {
          const write = settingsReplacement()
          return Effect.suspend(() => {
            const text = read(path)
            return write(path, { text: text + line, expectedSha256: sha256Of(text) })
          }).pipe(
            Effect.tapErrorTag("StaleSettings", () => Effect.sync(() => stale++)),
            // On a busy machine the others may hold the lock for longer than a write waits.
            Effect.retry({
              while: ({ _tag, message }) => _tag === "StaleSettings" || /held it up/.test(message)
            })
          )
        },
        { concurrency: "unbounded" }
      )
      assert.sameMembers(read(path).match(/.*\n/g) ?? [], lines)
      assert.isAbove(stale, 0)
      assert.deepStrictEqual(names(), ["daemon.toml", "daemon.toml.bak"])
    })
  )
})

describe("A kill -9 of the program that writes the settings file", () => {
  it.scopedLive("leaves the old file or the new one, whole, before each step", () =>
    Effect.gen(function* () {
      const script = yield* writerScript
      const { home, names, path } = yield* settings
      const [old, next] = ["a", "b"].map((letter) => `# ${letter.repeat(60)}\n`.repeat(5000))
      assert(old !== undefined && next !== undefined)
      fs.writeFileSync(join(home, "text"), next)
      const outcomes = new Set<string>()
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
        assert.include([old, next], read(path))
        if (fs.existsSync(`${path}.bak`)) assert.include([old, next], read(`${path}.bak`))
        outcomes.add(read(path) === old ? "old" : "new")
        if (names().length > 3) outcomes.add("a temporary file is left")
        fs.rmSync(`${path}.bak`, { force: true })
      }
      assert.deepStrictEqual(outcomes, new Set(["old", "a temporary file is left", "new"]))
      yield* replace(path, "# next\n", next)
      assert.strictEqual(read(path), "# next\n")
    }).pipe(Effect.provide(layer))
  )
})
