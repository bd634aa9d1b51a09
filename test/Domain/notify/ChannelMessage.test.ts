import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { channelMessage, type Target } from "../../../src/Domain/notify/ChannelMessage.ts"
import type { Notification } from "../../../src/Domain/notify/Notification.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import { backingOff, channel, ended, noon } from "./night.ts"

const sending = { host: "box", nowMs: noon, zone: utc }

const token = "tk_secret_token"
const targets: ReadonlyArray<Target> = [
  { type: "desktop" },
  { type: "ntfy", url: "https://push.example.org/sub/agents_topic", token },
  { type: "slack", url: "https://hooks.slack.com/services/T0/B0/slacksecret" },
  { type: "webhook", url: "https://example.org/hook?key=hooksecret", secret: "whsec_c2VjcmV0c2VjcmV0" },
  { type: "command", argv: ["send", "now"] }
]

/** A crash whose last words are these, as the news tell it. */
const crash = (words: string): Notification => {
  const { at, told } = channel()
  at(noon, ended({ kind: "crash", exit: { code: 1, signal: null }, says: words, tail: [] }), backingOff(1))
  const [first] = told
  assert.isDefined(first)
  return first as Notification
}

/** Every text that leaves the process. */
const sent = (target: Target, notification: Notification): ReadonlyArray<string> => {
  const message = channelMessage(target, notification, sending)
  switch (message._tag) {
    case "Request":
      return [message.body, ...Object.values(message.headers)]
    case "Show":
      return message.argv
    case "Run":
      return [...Object.values(message.env), message.input]
  }
}

const hostile = [
  "<!channel> <@U123> @everyone </b><script>alert(1)</script> &amp;",
  "\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u0000 \r\n webhook-id: 1",
  "\ud83d half \udc00 \u202e reversed \u2028 line",
  "x".repeat(1_000_000),
  '"}],"topic":"other","x":["'
]

describe("a message for a channel", () => {
  it("lets no control character, no half of a character and no megabyte of a worker through", () => {
    for (const target of targets)
      for (const words of hostile)
        for (const text of sent(target, crash(words))) {
          // Newlines separate the sentences.
          assert.notMatch(
            text,
            /[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u,
            `${target.type}: ${words.slice(0, 40)}`
          )
          assert.isBelow(Buffer.byteLength(text), 20_000)
        }
  })

  it("lets no markup through to a desktop, and no mention to Slack", () => {
    const [words = ""] = hostile
    const desktop = sent({ type: "desktop" }, crash(words)).slice(-2).join()
    assert.include(desktop, "&lt;/b&gt;&lt;script&gt;")
    assert.notMatch(desktop, /[<>]/)
    const slack = sent(targets[2] as Target, crash(words)).join()
    assert.include(slack, "&lt;!channel&gt; &lt;@U123&gt;")
    assert.notMatch(slack, /[<>]/)
  })

  it("stays JSON of the same shape, whatever the words", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.fullUnicodeString({ maxLength: 2000 }), (words) => {
        const body = (n: number): unknown => JSON.parse(sent(targets[n] as Target, crash(words))[0] ?? "")
        assert.hasAllKeys(body(1), ["topic", "title", "message", "priority", "tags"])
        assert.hasAllKeys(body(2), ["text", "mrkdwn", "unfurl_links", "unfurl_media"])
        assert.hasAllKeys(body(3), ["type", "timestamp", "data"])
      })
    )
  })

  it("masks the secrets of its channel where a worker has printed them", () => {
    for (const target of targets) {
      const secrets =
        target.type === "ntfy" || target.type === "slack" || target.type === "webhook" ? [target.url] : []
      const more = target.type === "ntfy" ? [token] : target.type === "webhook" ? [target.secret ?? ""] : []
      const notification = crash(`found ${[...secrets, ...more].join(" ")}`)
      const message = channelMessage(target, notification, sending)
      const text = message._tag === "Request" ? message.body : ""
      for (const secret of [...secrets, ...more]) assert.notInclude(text, secret)
    }
  })

  it("for ntfy goes as JSON to the server's root, because a header takes no letter like ü", () => {
    const message = channelMessage(targets[1] as Target, crash("größer – ünten"), sending)
    assert.deepStrictEqual(message._tag === "Request" ? { url: message.url, headers: message.headers } : {}, {
      url: "https://push.example.org/sub/",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` }
    })
    const body = JSON.parse(message._tag === "Request" ? message.body : "")
    assert.strictEqual(body.topic, "agents_topic")
    assert.strictEqual(body.title, "shop has crashed (box)")
    assert.include(body.message, "größer – ünten")
    assert.deepStrictEqual([body.priority, body.tags], [3, ["boom"]])
  })

  it("for a webhook has the same id at each attempt, and is signed", () => {
    const notification = crash("x")
    const message = channelMessage(targets[3] as Target, notification, sending)
    const later = channelMessage(targets[3] as Target, notification, { ...sending, nowMs: noon + 3_600_000 })
    assert.strictEqual(message._tag === "Request" ? message.headers["webhook-id"] : "", "run1-1")
    assert.deepStrictEqual(
      message._tag === "Request" && later._tag === "Request" ? later.headers : {},
      message._tag === "Request" ? message.headers : {}
    )
    const { data, timestamp, type } = JSON.parse(message._tag === "Request" ? message.body : "")
    assert.deepStrictEqual(
      { type, timestamp, data: { ...data, text: "" } },
      {
        type: "worker.crashed",
        timestamp: "2026-11-20T12:00:00.000Z",
        data: {
          id: "run1-1",
          kind: "crash",
          project: "shop",
          urgency: "normal",
          title: "shop has crashed",
          text: "",
          at: "2026-11-20T12:00:00.000Z",
          count: 1,
          verdict: "crash",
          host: "box"
        }
      }
    )
  })

  it("for a desktop names the machine where it is another one, and replaces nothing of this one's", () => {
    const from = (isElsewhere: boolean) => {
      const message = channelMessage({ type: "desktop" }, crash("x"), { ...sending, isElsewhere })
      return message._tag === "Show" ? message.argv : []
    }
    const [here, there] = [from(false), from(true)]
    assert.strictEqual(there.at(-2), `${here.at(-2)} (${sending.host})`)
    const subject = (argv: ReadonlyArray<string>) => argv.find((word) => word.includes("synchronous"))
    assert.notStrictEqual(subject(there), subject(here))
    assert.include(subject(there), sending.host)
  })

  it("for a desktop protects a title that begins with a hyphen, and names the time of what is late", () => {
    const late = { ...crash("x"), title: "-u critical" }
    const message = channelMessage({ type: "desktop" }, late, { ...sending, nowMs: noon + 600_000 })
    assert.deepStrictEqual(message._tag === "Show" ? message.argv.slice(0, -1) : [], [
      "notify-send",
      "-a",
      "autopilotd",
      "-u",
      "normal",
      "-h",
      "string:x-canonical-private-synchronous:shop",
      "--",
      "-u critical"
    ])
    assert.match(message._tag === "Show" ? (message.argv.at(-1) ?? "") : "", /^At 12:00:\nThe run ended/)
  })

  it("for a command stands in its environment and on its standard input, never in its arguments", () => {
    const message = channelMessage({ type: "command", argv: ["send", "now"] }, crash("$(rm -rf /)"), sending)
    if (message._tag !== "Run") return assert.fail(message._tag)
    assert.deepStrictEqual(message.argv, ["send", "now"])
    const { AUTOPILOTD_TEXT, ...env } = message.env
    assert.deepStrictEqual(env, {
      AUTOPILOTD_EVENT: "crash",
      AUTOPILOTD_PROJECT: "shop",
      AUTOPILOTD_URGENCY: "normal",
      AUTOPILOTD_TITLE: "shop has crashed",
      AUTOPILOTD_VERDICT: "crash",
      AUTOPILOTD_MACHINE: "box"
    })
    assert.include(AUTOPILOTD_TEXT, "$(rm -rf /)")
    assert.strictEqual(JSON.parse(message.input).text, AUTOPILOTD_TEXT)
  })
})
