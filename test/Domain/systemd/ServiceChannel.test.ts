import { assert, describe, it } from "@effect/vitest"
import {
  descriptorFlags,
  isHeard,
  type ServiceEnvironment,
  serviceChannels,
  watchdogMs
} from "../../../src/Domain/systemd/ServiceChannel.ts"

const pid = 4711

const named = (environment: ServiceEnvironment) =>
  serviceChannels(environment, pid).map((channel) =>
    channel._tag === "Descriptor" ? channel.descriptor : "systemd-notify"
  )

describe("the channel to systemd", () => {
  const found: ReadonlyArray<readonly [string, ServiceEnvironment, ReadonlyArray<number | string>]> = [
    ["is none when nothing is there", {}, []],
    ["is none without a name", { NOTIFY_SOCKET: "" }, []],
    ["is the program where there is but a name", { NOTIFY_SOCKET: "/run/n" }, ["systemd-notify"]],
    [
      "is first the descriptor of the launcher",
      { NOTIFY_SOCKET: "/run/n", AUTOPILOTD_NOTIFY_FD: "3" },
      [3, "systemd-notify"]
    ],
    [
      "is a descriptor that systemd has opened",
      { NOTIFY_SOCKET: "/run/n", LISTEN_PID: "4711", LISTEN_FDS: "2", LISTEN_FDNAMES: "web:notify" },
      [4, "systemd-notify"]
    ],
    [
      "is no descriptor that was opened for another process",
      { LISTEN_PID: "4710", LISTEN_FDS: "1", LISTEN_FDNAMES: "notify" },
      []
    ],
    [
      "is no descriptor of another name",
      { LISTEN_PID: "4711", LISTEN_FDS: "1", LISTEN_FDNAMES: "connection" },
      []
    ],
    [
      "is no descriptor beyond those that were opened",
      { LISTEN_PID: "4711", LISTEN_FDS: "1", LISTEN_FDNAMES: "web:notify" },
      []
    ],
    ["is no descriptor that is no number", { AUTOPILOTD_NOTIFY_FD: "3; true" }, []]
  ]
  for (const [what, environment, channels] of found) {
    it(`${what}`, () => assert.deepStrictEqual(named(environment), channels))
  }

  it("is accepted according to NotifyAccess=", () => {
    const descriptor = { _tag: "Descriptor", descriptor: 3 } as const
    const program = { _tag: "SystemdNotify" } as const
    assert.deepStrictEqual(
      ["none", "main", "exec", "all"].map((access) => [
        isHeard(descriptor, access),
        isHeard(program, access)
      ]),
      [
        [false, false],
        [true, false],
        [true, false],
        [true, true]
      ]
    )
  })
})

describe("the watchdog", () => {
  const wanted: ReadonlyArray<readonly [string, ServiceEnvironment, number | undefined]> = [
    ["is off when nothing is said", {}, undefined],
    ["is on for this process", { WATCHDOG_USEC: "60000000", WATCHDOG_PID: "4711" }, 60_000],
    ["is on for whoever is there", { WATCHDOG_USEC: "1500000" }, 1500],
    [
      "is off when it is meant for another process",
      { WATCHDOG_USEC: "60000000", WATCHDOG_PID: "1" },
      undefined
    ],
    ["is off at zero", { WATCHDOG_USEC: "0" }, undefined],
    ["is off when it is no number", { WATCHDOG_USEC: "60s" }, undefined]
  ]
  for (const [what, environment, durationMs] of wanted) {
    it(`${what}`, () => assert.strictEqual(watchdogMs(environment, pid), durationMs))
  }
})

describe("the flags of a descriptor", () => {
  const said = (flags: string) => descriptorFlags(`pos:\t0\nflags:\t${flags}\nmnt_id:\t9\nino:\t5\n`)

  it("tell whether a write blocks and whether children inherit it", () => {
    assert.deepStrictEqual(said("02"), { isNonBlocking: false, isCloseOnExec: false })
    assert.deepStrictEqual(said("02004002"), { isNonBlocking: true, isCloseOnExec: true })
    assert.deepStrictEqual(said("02000002"), { isNonBlocking: false, isCloseOnExec: true })
    assert.deepStrictEqual(said("04002"), { isNonBlocking: true, isCloseOnExec: false })
  })

  it("are unknown for another text", () => {
    assert.isUndefined(descriptorFlags(""))
    assert.isUndefined(said("0x2"))
  })
})
