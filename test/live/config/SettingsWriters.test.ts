import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { parse } from "smol-toml"
import { command, eventually, fixture, ownProcess, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { pidOf, project, request } from "../worker/SeveralProjects.ts"

const sleeps = [fixture("sleeps.sh")]
const settingsFile = (home: string) => join(home, "daemon.toml")
const read = (home: string) => fs.readFileSync(settingsFile(home), "utf8")

/** A text of a user, with everything that an edit could lose. */
const commented = [
  "# How we work here.   ",
  "",
  `worker_command = { type = "Command", argv = ${JSON.stringify(sleeps)} }`,
  "",
  "\t[ restart ]   # after a crash",
  "initial_backoff_ms   =   1_000# a second",
  "",
  "# Keys for all.",
  "[env]",
  '"BASE"="1"   # kept',
  "# The end, without a newline."
].join("\n")

/** The names in `[env]`. Throws where the text is not whole. */
const envNames = (text: string): ReadonlyArray<string> => {
  const { env, worker_command: worker } = parse(text)
  assert(typeof env === "object" && typeof worker === "object", text)
  return Object.keys(env)
}

/** Reads the file again and again. The returned effect stops that, and returns all texts that were read. */
const polled = (home: string) =>
  Effect.gen(function* () {
    const seen = new Set<string>()
    const look = Effect.sync(() => seen.add(read(home)))
    const reader = yield* Effect.fork(Effect.forever(Effect.zipRight(look, Effect.sleep("2 millis"))))
    return Effect.gen(function* () {
      const exit = yield* Fiber.interrupt(reader)
      // It would have ended by itself at an instant without a file.
      assert.isTrue(Exit.isInterrupted(exit), String(exit))
      return [...seen]
    })
  })

const keys = Array.from({ length: 4 }, (_, n) => `KEY_${n}`)

const temporaryFiles = (home: string) =>
  fs.readdirSync(home).filter((name) => name.startsWith(".daemon.toml."))

/** Writers at once, each in a process of its own. */
const writersAtOnce = (home: string) =>
  Effect.gen(function* () {
    fs.chmodSync(settingsFile(home), 0o640)
    const texts = yield* polled(home)
    const written = yield* Effect.forEach(
      keys,
      (key, at) =>
        // On a busy machine the others may hold the lock for longer than a write waits; a user tries again.
        Effect.repeat(ownProcess({ home, args: ["config", "set", `env.${key}`, `"value ${at}"`] }), {
          until: ({ stderr }) => !/held it up for|the disk does not answer/.test(stderr)
        }),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual(
      written.filter(({ code, stderr }) => code !== 0 || stderr !== ""),
      []
    )
    const seen = yield* texts
    assert.isAbove(seen.length, 2)
    for (const text of seen) assert.include(envNames(text), "BASE")
    const text = read(home)
    assert.deepStrictEqual(envNames(text).toSorted(), ["BASE", ...keys].toSorted())
    for (const [at, key] of keys.entries()) assert.include(text, `${key} = "value ${at}"\n`)
    // Without the new lines it is the former text, byte for byte.
    assert.strictEqual(text.replace(/KEY_\d+ = "value \d+"\n/g, "").trimEnd(), commented)
    assert.strictEqual(fs.statSync(settingsFile(home)).mode & 0o777, 0o640)
    assert.strictEqual(envNames(fs.readFileSync(`${settingsFile(home)}.bak`, "utf8")).length, keys.length)
    assert.deepStrictEqual(temporaryFiles(home), [])
  })

describe("many writers at once", () => {
  it.scopedLive("lose nothing through a daemon that runs, and no reader ever sees half a file", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* startDaemon({ home, settings: commented })
      const pid = yield* pidOf(home, "default")
      yield* writersAtOnce(home)
      assert.strictEqual(yield* pidOf(home, "default"), pid)
      assert.match((yield* command({ home, args: ["reload"] })).stdout, /^ {2}env\.KEY_3: changed/m)
    })
  )

  it.scopedLive("lose nothing without a daemon either", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(settingsFile(home), commented)
      yield* writersAtOnce(home)
      assert.strictEqual((yield* command({ home, args: ["config", "check"] })).code, 0)
    })
  )
})

/** What GetConfig answers. */
const get = (home: string) =>
  Effect.flatMap(request(home, { type: "GetConfig" }), ({ data }) =>
    Effect.fromNullable(data !== undefined && "text" in data ? data : undefined)
  )

describe("SetConfig", () => {
  it.scopedLive(
    "refuses a text that was made from another file, or that is invalid, and writes nothing",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        yield* startDaemon({ home, settings: commented })
        const stale = (yield* get(home)).sha256
        const edited = commented.replace("1_000", "2_000")
        fs.writeFileSync(settingsFile(home), edited)
        const { sha256, text } = yield* get(home)
        for (const dry_run of [false, true]) {
          const set = {
            type: "SetConfig",
            text: commented.replace("1_000", "3_000"),
            sha256: stale,
            dry_run
          } as const
          const { data, success } = yield* request(home, set)
          assert.isFalse(success)
          assert.deepStrictEqual(data, { problems: [], stale_sha256: sha256 })
        }
        const wrong = `${text.replace("initial_backoff_ms", "inital_backoff_ms")}\n[projects."a b"]\n  [projects.shop]\n  max_turns = 0\n`
        const { data, success } = yield* request(home, { type: "SetConfig", text: wrong, sha256 })
        assert.isFalse(success)
        assert(data !== undefined && "problems" in data)
        assert.deepStrictEqual(
          data.problems.map(({ column, key, line, nearest }) => [line, column, key, nearest]),
          [
            [6, 1, "restart.inital_backoff_ms", "restart.initial_backoff_ms"],
            [12, 1, 'projects."a b"', undefined],
            [14, 3, "projects.shop.max_turns", undefined]
          ]
        )
        const syntax = yield* request(home, { type: "SetConfig", text: `${text}\nmodel = = 1\n`, sha256 })
        assert(syntax.data !== undefined && "problems" in syntax.data)
        assert.deepStrictEqual(
          syntax.data.problems.map(({ line }) => line),
          [12]
        )
        assert.strictEqual(read(home), edited)
        assert.isFalse(fs.existsSync(`${settingsFile(home)}.bak`))
      })
  )

  it.scopedLive(
    "writes the text byte for byte, keeps the former one and the mode; a dry run writes nothing",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        yield* startDaemon({ home, settings: commented })
        fs.chmodSync(settingsFile(home), 0o604)
        const { found, path, sha256, text: former } = yield* get(home)
        assert.deepStrictEqual([found, path, former], [true, settingsFile(home), commented])
        const text = former.replace("=   1_000#", "=   2_000#")
        const set = { type: "SetConfig", text, sha256 } as const
        const dry = yield* request(home, { ...set, dry_run: true })
        assert(dry.success && dry.data !== undefined && "written" in dry.data)
        assert.isFalse(dry.data.written)
        assert.strictEqual(read(home), former)
        const done = yield* request(home, set)
        assert(done.success && done.data !== undefined && "written" in done.data)
        assert.deepStrictEqual(done.data, { ...dry.data, written: true })
        assert.deepStrictEqual(done.data.changes, [
          { key: "restart.initial_backoff_ms", from: "1000", to: "2000", applies: "on-reload" }
        ])
        assert.strictEqual(read(home), text)
        assert.strictEqual(fs.readFileSync(`${settingsFile(home)}.bak`, "utf8"), former)
        assert.strictEqual(fs.statSync(settingsFile(home)).mode & 0o777, 0o604)
        assert.strictEqual((yield* get(home)).sha256, done.data.sha256)
        assert.deepStrictEqual(temporaryFiles(home), [])
      })
  )

  it.scopedLive("marks the projects for which other code would run", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const both = project("one", sleeps) + project("two", sleeps)
      yield* startDaemon({ home, settings: both })
      const { sha256 } = yield* get(home)
      const cases: ReadonlyArray<readonly [text: string, marked: ReadonlyArray<string>]> = [
        [both.replace(/sleeps(.*)\n$/, "ends$1\n"), ["two"]],
        [`env = { LD_PRELOAD = "/tmp/x.so" }\n${both}`, ["one", "two"]],
        [`${both}working_dir = "/"\n`, ["two"]],
        [both + project("three", sleeps), ["three"]],
        [`${both}restart = { jitter = 0.5 }\n`, []]
      ]
      for (const [text, marked] of cases) {
        const { data } = yield* request(home, { type: "SetConfig", text, sha256, dry_run: true })
        assert(data !== undefined && "changes_command" in data, text)
        assert.deepStrictEqual(data.changes_command, marked, text)
      }
    })
  )
})

describe("kill -9 of the daemon while settings are written", () => {
  it.scopedLive("always leaves one whole text, and the next change works", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const textOf = (n: number) => `${commented}\n# ${String(n).repeat(30_000)}\n`
      const texts = [0, 1, 2].map(textOf)
      fs.writeFileSync(settingsFile(home), textOf(0))
      for (let round = 0; round < 3; round++) {
        const daemon = yield* startDaemon({ home })
        let written = 0
        const write = Effect.gen(function* () {
          const { sha256 } = yield* get(home)
          const text = texts[written % texts.length] ?? ""
          if ((yield* request(home, { type: "SetConfig", text, sha256 })).success) written++
        })
        const storm = yield* Effect.forkScoped(Effect.ignore(Effect.forever(write)))
        yield* eventually("it is in the midst of a write", () => {
          if (written <= round || temporaryFiles(home).length === 0) return undefined
          return daemon.child.kill("SIGKILL")
        })
        yield* daemon.ended
        yield* Fiber.join(storm)
        assert.include(texts, read(home), `round ${round}`)
        const set = yield* command({ home, args: ["config", "set", "env.ROUND", `"${round}"`] })
        assert.deepStrictEqual([set.code, set.stderr], [0, ""])
        assert.include(envNames(read(home)), "ROUND")
        // The next write removes them once they are a minute old.
        for (const name of temporaryFiles(home)) fs.rmSync(join(home, name))
      }
    })
  )
})

describe("a settings file that cannot be read while the daemon runs", () => {
  it.scopedLive(
    "is refused by `config set` in the words of a command without a daemon; a lost file is not recreated",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        yield* startDaemon({ home, settings: commented })
        const path = settingsFile(home)
        const set = (...args: ReadonlyArray<string>) =>
          command({ home, args: [...args, "config", "set", "max_turns", "5"] })
        const obstacles = {
          "a folder": () => fs.mkdirSync(path),
          "a pipe": () => execFileSync("mkfifo", [path])
        }
        for (const [what, make] of Object.entries(obstacles)) {
          fs.rmSync(path, { recursive: true })
          make()
          const [through, without] = yield* Effect.all([set(), set("--config", path)])
          assert.deepStrictEqual([what, through.code, through.stderr], [what, 1, without.stderr])
          assert.include(through.stderr, path)
        }
        fs.rmSync(path)
        const gone = yield* set()
        assert.strictEqual(gone.code, 1)
        assert.include(gone.stderr, "is gone, and the settings in force came from it")
        assert.isFalse(fs.existsSync(path))
      })
  )
})

describe("config edit", () => {
  it.scopedLive("shows what is wrong with an edit above it, and writes the corrected text", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* startDaemon({ home, settings: commented })
      const editor = join(home, "editor")
      const steps = [
        'if [ ! -e "$0.first" ]; then',
        '  cp "$1" "$0.first"',
        "  sed -i 's/initial_backoff_ms/inital_backoff_ms/; s/1_000/3_000/' \"$1\"",
        "else",
        '  cp "$1" "$0.second"',
        "  sed -i 's/^inital/initial/' \"$1\"",
        "fi"
      ]
      fs.writeFileSync(editor, `#!/bin/sh\n${steps.join("\n")}\n`, { mode: 0o755 })
      const edited = yield* command({ home, args: ["config", "edit"], env: { EDITOR: editor, VISUAL: "" } })
      assert.deepStrictEqual([edited.code, edited.stderr], [0, ""])
      assert.include(edited.stdout, "restart.initial_backoff_ms: 1000 -> 3000\n")
      assert.match(edited.stdout, /Apply it: autopilotd reload\n$/)
      assert.strictEqual(fs.readFileSync(`${editor}.first`, "utf8"), commented)
      const second = fs.readFileSync(`${editor}.second`, "utf8")
      assert.match(second, /^#! autopilotd: .*line 6:1: restart\.inital_backoff_ms is not a setting\./m)
      assert.isTrue(second.endsWith(commented.replace("initial", "inital").replace("1_000", "3_000")))
      assert.strictEqual(read(home), commented.replace("1_000", "3_000"))
      assert.strictEqual(fs.readFileSync(`${settingsFile(home)}.bak`, "utf8"), commented)
    })
  )
})
