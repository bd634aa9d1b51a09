import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { heartbeatUrl, urlIn } from "../../../src/Domain/relay/HeartbeatUrl.ts"

const told = (url: string, ...failed: ReadonlyArray<string>) => heartbeatUrl(new URL(url), failed).href

describe("the URL of a heartbeat", () => {
  it("is that of the file, and has /fail behind its path when a worker has failed", () => {
    assert.strictEqual(told("https://hc-ping.com/1-2-3"), "https://hc-ping.com/1-2-3")
    assert.strictEqual(told("https://hc-ping.com/1-2-3", "shop"), "https://hc-ping.com/1-2-3/fail")
    assert.strictEqual(told("http://h:8000/ping/k/?rid=7", "shop"), "http://h:8000/ping/k/fail?rid=7")
  })

  it("has status and msg for a push monitor of Uptime Kuma", () => {
    const url = "https://kuma.example/api/push/T0ken?status=up&msg=OK&ping="
    assert.strictEqual(told(url), "https://kuma.example/api/push/T0ken?status=up&msg=OK&ping=")
    assert.strictEqual(
      told(url, "shop", "blog"),
      "https://kuma.example/api/push/T0ken?status=down&msg=failed%3A+shop%2C+blog&ping="
    )
  })

  it("is the first line of its file, and anything else is refused without a word of it", () => {
    assert.strictEqual(
      Either.getOrThrow(urlIn("\n https://a.example/secret \nmore\n")).href,
      "https://a.example/secret"
    )
    for (const text of ["", "  \n", "secret", "ftp://a.example/secret", "file:///secret", "https://"]) {
      const problem = Either.flip(urlIn(text))
      assert.notInclude(Either.getOrThrow(problem), "secret", text)
    }
  })
})
