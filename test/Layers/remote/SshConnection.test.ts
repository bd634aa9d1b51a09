import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { HostsInvalid, readHosts } from "../../../src/Layers/remote/HostsText.ts"
import { openSsh } from "../../../src/Layers/remote/SshConnection.ts"
import { isAlive } from "../../live/TestDaemon.ts"

const box = { name: "box", host: "box" }

/** A program in the place of ssh, found first on PATH. */
const insteadOfSsh = (script: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = fs.mkdtempSync(join(tmpdir(), "apd-ssh-"))
      const before = process.env["PATH"]
      fs.writeFileSync(join(folder, "ssh"), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      process.env["PATH"] = `${folder}:${before}`
      return { folder, before }
    }),
    ({ before, folder }) =>
      Effect.sync(() => {
        process.env["PATH"] = before
        fs.rmSync(folder, { recursive: true, force: true })
      })
  )

const read = (stream: NodeJS.ReadableStream) =>
  Effect.async<string>((resume) => {
    let text = ""
    stream.on("data", (bytes: Buffer) => (text += bytes.toString("utf8")))
    stream.on("end", () => resume(Effect.succeed(text)))
  })

describe("a stream over ssh", () => {
  it.scopedLive("has an answer also after its input has ended, and the last words of ssh", () =>
    Effect.gen(function* () {
      yield* insteadOfSsh(
        'read -r line; cat >/dev/null; echo "answer to $line with $1"; echo "last words" >&2; exit 7'
      )
      const { ended, stream } = yield* openSsh(box, ["-T"])
      stream.end("question\n")
      assert.strictEqual(yield* read(stream), "answer to question with -T\n")
      assert.deepStrictEqual(yield* ended, { code: 7, stderr: "last words\n" })
    })
  )

  it.scopedLive("ends with its scope, also one that ignores SIGTERM", () =>
    Effect.gen(function* () {
      const { folder } = yield* insteadOfSsh(
        'trap "" TERM; echo $$ >"${0%/*}/pid"; while :; do sleep 0.1; done'
      )
      const pidFile = join(folder, "pid")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* openSsh(box, ["-T"])
          yield* Effect.repeat(Effect.sleep("20 millis"), {
            until: () => fs.existsSync(pidFile) && fs.readFileSync(pidFile, "utf8") !== ""
          })
        })
      )
      assert.isFalse(isAlive(Number(fs.readFileSync(pidFile, "utf8"))))
    })
  )

  it.scopedLive("that does not start says how to get ssh", () =>
    Effect.gen(function* () {
      const before = process.env["PATH"]
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          process.env["PATH"] = "/apd-without-ssh"
        }),
        () =>
          Effect.sync(() => {
            process.env["PATH"] = before
          })
      )
      const opened = yield* Effect.either(openSsh(box, ["-T"]))
      assert.isTrue(Either.isLeft(opened))
      if (Either.isLeft(opened)) {
        assert.strictEqual(opened.left._tag, "SshUnusable")
        assert.include(opened.left.message, "it is not installed or not on PATH")
      }
    })
  )
})

describe("hosts.toml", () => {
  it("is read with its hosts; a missing one has none, and every other obstacle is told", async () => {
    const root = fs.mkdtempSync(join(tmpdir(), "apd-hosts-"))
    const file = join(root, "hosts.toml")
    const refusal = () =>
      readHosts(root).then(
        () => "read",
        (cause: unknown) => (cause instanceof HostsInvalid ? cause.message : cause)
      )
    try {
      assert.deepStrictEqual(await readHosts(root), [])
      fs.writeFileSync(file, '[hosts.box]\nurl = "me@box"\n')
      assert.deepStrictEqual(await readHosts(root), [{ name: "box", host: "box", user: "me" }])
      fs.writeFileSync(file, "[hosts.box]\nurl = 1\n[hosts.lab]\nport = 22\n")
      assert.match(
        String(await refusal()),
        /hosts\.toml:2: hosts\.box\.url must be a text.*\n.*hosts\.toml:4: hosts\.lab\.port is not a key/
      )
      fs.writeFileSync(file, 'a = "\n')
      assert.match(String(await refusal()), /hosts\.toml:1: this is not TOML/)
      fs.chmodSync(file, 0o666)
      assert.match(
        String(await refusal()),
        /can be written by every user, and it says where ssh goes\. Run: chmod o-w /
      )
      fs.rmSync(file)
      fs.mkdirSync(file)
      assert.match(String(await refusal()), /is not a regular file/)
    } finally {
      fs.rmSync(root, { recursive: true, force: true })
    }
  })
})
