import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { alsoWaiting, messageText, ServiceMessage } from "../../../src/Domain/systemd/ServiceMessage.ts"

const text = (message: ServiceMessage) => messageText(message, 123_456n)

const arbitrary: FastCheck.Arbitrary<ServiceMessage> = FastCheck.oneof(
  FastCheck.constantFrom<ServiceMessage>(
    ServiceMessage.Ready(),
    ServiceMessage.Reloading(),
    ServiceMessage.Stopping(),
    ServiceMessage.Alive()
  ),
  FastCheck.nat(3).map((forMs) => ServiceMessage.ExtendTimeout({ forMs })),
  FastCheck.constantFrom("a", "b").map((line) => ServiceMessage.Status({ text: line }))
)

const isStep = ({ message }: { readonly message: ServiceMessage }) =>
  message._tag === "Ready" || message._tag === "Reloading" || message._tag === "Stopping"

describe("a message to systemd", () => {
  it("follows sd_notify(3)", () => {
    assert.strictEqual(text(ServiceMessage.Ready()), "READY=1")
    assert.strictEqual(text(ServiceMessage.Reloading()), "RELOADING=1\nMONOTONIC_USEC=123456")
    assert.strictEqual(text(ServiceMessage.Stopping()), "STOPPING=1")
    assert.strictEqual(text(ServiceMessage.Alive()), "WATCHDOG=1")
    assert.strictEqual(text(ServiceMessage.ExtendTimeout({ forMs: 1500 })), "EXTEND_TIMEOUT_USEC=1500000")
    assert.strictEqual(text(ServiceMessage.Status({ text: "running, pid 1" })), "STATUS=running, pid 1")
  })

  it("with a status is one line that is no other message and cannot control a terminal", () => {
    const nasty = "failed:\nREADY=1\r\u001b[2J\u202e \u0000half \ud83d"
    assert.strictEqual(text(ServiceMessage.Status({ text: nasty })), "STATUS=failed: READY=1 [2J half")
  })

  it("with a long status is cut between characters", () => {
    const long = text(ServiceMessage.Status({ text: "🙂".repeat(400) }))
    assert.strictEqual(long, `STATUS=${"🙂".repeat(297)}...`)
  })

  it("with a status is one line, whatever the text", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.nat(0xffff)), (codes) => {
        const line = String.fromCharCode(...codes)
        const sent = text(ServiceMessage.Status({ text: line }))
        return !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(sent) && Buffer.byteLength(sent) < 4096
      })
    )
  })
})

describe("the queue of messages", () => {
  it("keeps every step in order, and the last of the messages that replace one another", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(arbitrary), (messages) => {
        const said = messages.map((message, number) => ({ message, number }))
        const waiting = said.reduce<ReadonlyArray<(typeof said)[number]>>(alsoWaiting, [])
        const last = (tag: string) => said.findLast(({ message }) => message._tag === tag)
        const expected = said.filter((one) => isStep(one) || one === last(one.message._tag))
        assert.deepStrictEqual(waiting, expected)
      })
    )
  })
})
