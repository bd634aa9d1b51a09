import * as fs from "node:fs"
import * as http from "node:http"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { Webhook } from "standardwebhooks"
import type { Notification } from "../../../src/Domain/notify/Notification.ts"
import type { Channel } from "../../../src/Domain/settings/NotifySettings.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import { sendTo } from "../../../src/Layers/notify/Sending.ts"
import { httpReceiver, httpServer, tcpServer } from "../../fixtures/LocalServer.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"

const notification: Notification = {
  id: "run1-7",
  kind: "failed",
  project: "shop",
  urgency: "critical",
  title: "shop has failed",
  text: "It said <!channel> größer.\nFix the cause, then run: autopilotd start-worker",
  atMs: Date.now(),
  count: 1
}

const answering = (status: number, headers: http.OutgoingHttpHeaders = {}) =>
  httpReceiver((response) => void response.writeHead(status, headers).end("no"))

const file = Effect.fnUntraced(function* (name: string, text: string, mode = 0o600) {
  const path = join(yield* temporaryFolder, name)
  fs.writeFileSync(path, text, { mode })
  return path
})

const isGone = (pid: number): boolean => {
  try {
    return /^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return true
  }
}

/** The first value that is defined. The clock of these tests stands still. */
const eventually = <A>(look: () => A | undefined): Effect.Effect<A> =>
  Effect.promise(async () => {
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      await new Promise((resume) => setTimeout(resume, 10))
    }
  })

const send = (channel: Channel) =>
  sendTo(channel, notification, utc).pipe(Effect.provide(NodeHttpClient.layer), Effect.either)

/** The reason and what follows from it; undefined when it was sent. */
const refusal = (channel: Channel) =>
  Effect.map(send(channel), (sent) =>
    Either.isRight(sent) ? undefined : { reason: sent.left.reason, next: sent.left.next }
  )

describe("a notification that is sent", () => {
  it.scoped("to ntfy is JSON at the root, with the token of its file", () =>
    Effect.gen(function* () {
      const { received, url } = yield* answering(200)
      const token = yield* file("token", "tk_abc\n")
      assert.isUndefined(yield* refusal({ type: "ntfy", url: `${url}/agents`, token_file: token }))
      const [{ body = "", headers = {}, path } = {}] = received
      assert.strictEqual(path, "/")
      assert.strictEqual(headers.authorization, "Bearer tk_abc")
      const { message, topic } = JSON.parse(body)
      assert.deepStrictEqual([topic, message], ["agents", notification.text])
    })
  )

  it.scoped("to Slack goes to the URL of a file", () =>
    Effect.gen(function* () {
      const { received, url } = yield* answering(200)
      const path = yield* file("slack", `${url}/services/T/B/x\n`)
      assert.isUndefined(yield* refusal({ type: "slack", url_file: path }))
      assert.strictEqual(received[0]?.path, "/services/T/B/x")
      assert.include(JSON.parse(received[0]?.body ?? "").text, "&lt;!channel&gt; größer")
    })
  )

  it.scoped("to a webhook bears a signature that the package standardwebhooks accepts", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const { received, url } = yield* answering(204)
      const secret = `whsec_${Buffer.from("0123456789abcdef01234567").toString("base64")}`
      const path = yield* file("secret", secret)
      assert.isUndefined(yield* refusal({ type: "webhook", url, secret_file: path }))
      const [{ body = "", headers = {} } = {}] = received
      const verified = new Webhook(secret).verify(body, headers as Record<string, string>)
      assert.strictEqual((verified as { readonly type: string }).type, "worker.failed")
      assert.throws(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>))
      assert.strictEqual(headers["webhook-id"], "run1-7")
    })
  )

  it.scoped("is given up, retried or stopped for good by what the receiver answers", () =>
    Effect.gen(function* () {
      for (const [status, next] of [
        [400, "give-up"],
        [404, "give-up"],
        [408, "retry"],
        [410, "off"],
        [429, "retry"],
        [500, "retry"],
        [503, "retry"]
      ] as const) {
        const { url } = yield* answering(status)
        const refused = yield* refusal({ type: "webhook", url })
        assert.strictEqual(refused?.next, next, String(status))
        assert.match(refused?.reason ?? "", new RegExp(`^answered ${status}`))
      }
    })
  )

  it.scoped("follows no redirect, which could lead anywhere", () =>
    Effect.gen(function* () {
      const { received, url } = yield* answering(200)
      const moved = yield* answering(302, { location: url })
      const refused = yield* refusal({ type: "slack", url: `${moved.url}/secret-path` })
      assert.deepStrictEqual(refused, {
        reason: "answered 302: it has moved, and redirects are not followed. Set its new URL",
        next: "give-up"
      })
      assert.deepStrictEqual(received, [])
    })
  )

  it.scoped("says why a receiver cannot be reached, without its URL", () =>
    Effect.gen(function* () {
      const { close, url } = yield* answering(200)
      close()
      assert.deepStrictEqual(yield* refusal({ type: "slack", url: `${url}/slacksecret` }), {
        reason: "could not be reached: the receiver refuses connections: nothing listens there",
        next: "retry"
      })
      const cut = yield* httpServer((request) => void request.socket.destroy())
      assert.deepStrictEqual(yield* refusal({ type: "slack", url: `${cut.url}/slacksecret` }), {
        reason: "could not be reached: the receiver has closed the connection without an answer",
        next: "retry"
      })
      // Not HTTP at all.
      const ssh = yield* tcpServer((socket) => void socket.end("SSH-2.0-OpenSSH_9.2\r\n"))
      const other = yield* refusal({ type: "slack", url: `${ssh.url}/slacksecret` })
      assert.strictEqual(other?.next, "retry")
      assert.notInclude(other?.reason ?? "", "slacksecret")
    })
  )

  it.scoped("says which file of a channel is not usable, and quotes nothing of it", () =>
    Effect.gen(function* () {
      const path = yield* file("slack", "hooks.slack.com/services/slacksecret")
      assert.deepStrictEqual(yield* refusal({ type: "slack", url_file: path }), {
        reason: `is not usable: the first line of ${path} is no URL that begins with https:// or http://`,
        next: "retry"
      })
      const absent = yield* refusal({ type: "slack", url_file: `${path}.absent` })
      assert.match(absent?.reason ?? "", /^is not usable: \/.*slack\.absent /)
    })
  )

  it.scoped("to a command stands on its input and in its environment", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "out")
      const argv = [
        "/bin/sh",
        "-c",
        `{ cat; printf '%s\\n' "$AUTOPILOTD_EVENT" "$AUTOPILOTD_PROJECT"; } > "$1"`,
        "sh",
        path
      ] as const
      assert.isUndefined(yield* refusal({ type: "command", argv }))
      const [json = "", ...rest] = fs.readFileSync(path, "utf8").split("\n")
      assert.strictEqual(JSON.parse(json).title, "shop has failed")
      assert.deepStrictEqual(rest, ["failed", "shop", ""])
    })
  )

  it.scoped("to a command that fails, is missing or reads nothing has a reason or success", () =>
    Effect.gen(function* () {
      const failing = ["/bin/sh", "-c", "echo one >&2; printf '\\033[31mno such host' >&2; exit 3"] as const
      assert.deepStrictEqual(yield* refusal({ type: "command", argv: failing }), {
        reason: "does not work: /bin/sh exited with code 3: no such host",
        next: "retry"
      })
      assert.deepStrictEqual(yield* refusal({ type: "command", argv: ["/absent/program"] }), {
        reason: "does not work: /absent/program could not be started: it is not installed or not on PATH",
        next: "give-up"
      })
      assert.isUndefined(yield* refusal({ type: "command", argv: ["true"] }))
    })
  )

  it.scoped("to a desktop that is not there waits for one", () =>
    Effect.gen(function* () {
      const bin = yield* temporaryFolder
      const fake = (body: string) =>
        fs.writeFileSync(join(bin, "notify-send"), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
      const path = process.env["PATH"]
      process.env["PATH"] = `${bin}:${path}`
      yield* Effect.addFinalizer(() => Effect.sync(() => void (process.env["PATH"] = path)))
      const shown = join(bin, "shown")
      fake(`for word in "$@"; do printf '%s|' "$word"; done > ${shown}`)
      assert.isUndefined(yield* refusal({ type: "desktop" }))
      assert.match(
        fs.readFileSync(shown, "utf8"),
        /^-a\|autopilotd\|-u\|critical\|.*\|--\|shop has failed\|It said &lt;!channel&gt; größer\.\n/
      )
      fake("echo 'Could not connect: No such file or directory' >&2; exit 1")
      assert.strictEqual((yield* refusal({ type: "desktop" }))?.next, "absent")
      fake("echo 'Unknown option -h' >&2; exit 1")
      assert.deepStrictEqual(yield* refusal({ type: "desktop" }), {
        reason: "does not work: notify-send exited with code 1: Unknown option -h",
        next: "retry"
      })
    })
  )

  it.scoped("is given another try when the receiver takes the message and never answers", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const { url } = yield* httpReceiver(() => Deferred.unsafeDone(asked, Exit.void))
      const fiber = yield* Effect.fork(refusal({ type: "webhook", url }))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(yield* Fiber.join(fiber), {
        reason: "has not answered within 15 seconds",
        next: "retry"
      })
    })
  )

  it.scoped("kills a program that hangs, with all that it has started", () =>
    Effect.gen(function* () {
      const pidFile = join(yield* temporaryFolder, "pids")
      const argv = ["/bin/sh", "-c", `sleep 300 & echo $$ $! > ${pidFile}; wait`] as const
      const fiber = yield* Effect.fork(refusal({ type: "command", argv }))
      const pids = yield* eventually(() => {
        const found = fs.existsSync(pidFile) ? fs.readFileSync(pidFile, "utf8").trim().split(" ") : []
        return found.length === 2 ? found.map(Number) : undefined
      })
      yield* TestClock.adjust("30 seconds")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* Fiber.join(fiber), {
        reason: "does not work: /bin/sh had not exited after 30 seconds, and was killed",
        next: "retry"
      })
      yield* eventually(() => pids.every(isGone) || undefined)
    })
  )
})
