import { assert, describe, it } from "@effect/vitest"
import {
  type GuardedRequest,
  type GuardRules,
  refusalOf,
  securityHeaders
} from "../../../src/Domain/panel/RequestGuard.ts"

const rules: GuardRules = { port: 7420, isToken: (given) => given === "secret", isEmbeddable: false }
const own = "127.0.0.1:7420"

const request = (
  url: string,
  headers: GuardedRequest["headers"] = {},
  method: string = "GET"
): GuardedRequest => ({ method, url, headers: { host: own, ...headers } })

/** As the panel's own page asks. */
const fromPage = { origin: `http://${own}`, "sec-fetch-site": "same-origin", "x-autopilotd-token": "secret" }

const upgrade = {
  upgrade: "websocket",
  origin: `http://${own}`,
  "sec-fetch-site": "same-origin",
  "sec-websocket-protocol": "autopilotd.v1, token.secret"
}

const statusOf = (asked: GuardedRequest, given = rules) => refusalOf(asked, given)?.status

describe("the guard of the panel", () => {
  const passing: Readonly<Record<string, GuardedRequest>> = {
    "the page, opened by its link": request("/", { "sec-fetch-site": "none", "sec-fetch-dest": "document" }),
    "the page, opened from a link in another page": request("/?project=shop", {
      "sec-fetch-site": "cross-site",
      "sec-fetch-dest": "document"
    }),
    "a file of the page": request("/assets/abc/app.js", { "sec-fetch-site": "same-origin" }),
    "a question with the token": request("/ui/page?project=shop", fromPage),
    "an action with the token": request("/api/daemon/stop", fromPage, "POST"),
    "the WebSocket with the token": request("/ws", upgrade),
    "curl with the token": request("/api/daemon/status", { "x-autopilotd-token": "secret" }),
    "another name of this machine": request("/ui/page", {
      ...fromPage,
      host: "localhost:7420",
      origin: "http://localhost:7420"
    }),
    "its IPv6 name": request("/ui/page", { ...fromPage, host: "[::1]:7420", origin: "http://[::1]:7420" })
  }
  for (const [who, asked] of Object.entries(passing)) {
    it(`lets in ${who}`, () => assert.isUndefined(refusalOf(asked, rules)))
  }

  const refused: Readonly<Record<string, readonly [GuardedRequest, number]>> = {
    "a name that resolves to this machine (DNS rebinding)": [
      request("/ui/page", { ...fromPage, host: "evil.test:7420" }),
      421
    ],
    "a name that begins like this machine": [request("/", { host: "127.0.0.1.evil.test:7420" }), 421],
    "another port of this machine as host": [request("/", { host: "127.0.0.1:7421" }), 421],
    "no host": [request("/", { host: undefined }), 421],
    "a page on another port, even with the token": [
      request("/ui/page", { ...fromPage, origin: "http://127.0.0.1:3000", "sec-fetch-site": "same-site" }),
      403
    ],
    "a page elsewhere that posts": [
      request(
        "/api/daemon/stop",
        { ...fromPage, origin: "https://evil.test", "sec-fetch-site": "cross-site" },
        "POST"
      ),
      403
    ],
    "a page without an origin (sandboxed) that posts": [
      request("/api/daemon/stop", { ...fromPage, origin: "null" }, "POST"),
      403
    ],
    "a post of a browser that names no origin": [
      request("/api/daemon/stop", { ...fromPage, origin: undefined }, "POST"),
      403
    ],
    "a WebSocket of a page elsewhere": [request("/ws", { ...upgrade, origin: "https://evil.test" }), 403],
    "a page elsewhere that puts the panel into a frame": [
      request("/panel", { "sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe" }),
      403
    ],
    "a page elsewhere that loads the panel's script": [
      request("/assets/abc/app.js", { "sec-fetch-site": "cross-site", "sec-fetch-dest": "script" }),
      403
    ],
    "a question without a token": [
      request("/ui/page", { ...fromPage, "x-autopilotd-token": undefined }),
      401
    ],
    "an old token": [request("/ui/page", { ...fromPage, "x-autopilotd-token": "old" }), 401],
    "a WebSocket without a token": [
      request("/ws", { ...upgrade, "sec-websocket-protocol": "autopilotd.v1" }),
      401
    ],
    "a token in the address, where logs and other pages see it": [request("/ui/page?token=secret"), 401],
    "a post to the page": [request("/", { origin: `http://${own}` }, "POST"), 401]
  }
  for (const [who, [asked, status]] of Object.entries(refused)) {
    it(`refuses ${who}`, () => assert.strictEqual(statusOf(asked), status))
  }

  it("lets another page embed the card only where the user allows it, and nothing else", () => {
    const frame = { "sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe" }
    const embeddable = { ...rules, isEmbeddable: true }
    assert.isUndefined(refusalOf(request("/panel", frame), embeddable))
    assert.strictEqual(statusOf(request("/", frame), embeddable), 403)
    assert.strictEqual(
      statusOf(request("/ui/page", { ...frame, "x-autopilotd-token": "secret" }), embeddable),
      403
    )
  })
})

describe("the headers of the panel", () => {
  it("forbid inline code, other sources, and frames", () => {
    const headers = securityHeaders("/", ["https://dash.example"])
    assert.match(
      headers["content-security-policy"] ?? "",
      /default-src 'none'; script-src 'self';.*frame-ancestors 'none'/
    )
    assert.notMatch(headers["content-security-policy"] ?? "", /unsafe/)
    assert.strictEqual(headers["x-frame-options"], "DENY")
    assert.notProperty(headers, "access-control-allow-origin")
  })

  it("name the pages that may embed the card", () => {
    const headers = securityHeaders("/panel", ["https://dash.example"])
    assert.match(headers["content-security-policy"] ?? "", /frame-ancestors https:\/\/dash\.example$/)
    assert.notProperty(headers, "x-frame-options")
  })
})
