import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { unitFacts, unitOfGroups } from "../../../src/Domain/systemd/OwnUnitFacts.ts"
import { systemdDurationMs } from "../../../src/Domain/systemd/SystemctlShow.ts"

const ofUser = "/user.slice/user-1500.slice/user@1500.service"

describe("the daemon's unit", () => {
  const found: ReadonlyArray<readonly [string, string, boolean, string | undefined]> = [
    ["of a user", `0::${ofUser}/app.slice/autopilotd.service\n`, false, "user autopilotd.service"],
    [
      "of a user, from a group below",
      `0::${ofUser}/app.slice/autopilotd.service/daemon\n`,
      false,
      "user autopilotd.service"
    ],
    ["of the machine", "0::/system.slice/autopilotd.service\n", false, "system autopilotd.service"],
    [
      "of the machine, an instance in a slice of its own",
      "0::/system.slice/system-autopilotd.slice/autopilotd@shop.service/daemon\n",
      false,
      "system autopilotd@shop.service"
    ],
    [
      "where systemd keeps its groups in version 1",
      `4:memory:/\n1:name=systemd:${ofUser}/app.slice/a.service\n0::/elsewhere\n`,
      false,
      "user a.service"
    ],
    [
      "where systemd keeps its groups in version 2 and version 1 is there, too",
      `9:name=systemd:/\n8:pids:/\n0::${ofUser}/app.slice/a.service\n`,
      false,
      "user a.service"
    ],
    ["in a container that hides what is above", "0::/app.slice/a.service\n", true, "user a.service"],
    [
      "whose name a file of the kernel could have",
      `0::${ofUser}/_cgroup.service\n`,
      false,
      "user cgroup.service"
    ],
    ["is none in a user's manager itself", `0::${ofUser}/init.scope\n`, false, undefined],
    ["is none in a login session", "0::/user.slice/user-0.slice/session-3.scope\n", false, undefined],
    ["is none without groups", "", false, undefined]
  ]
  for (const [what, cgroups, hasUserManager, unit] of found) {
    it(`${what}`, () => {
      const name = unitOfGroups(cgroups, hasUserManager)
      assert.strictEqual(name && `${name.manager} ${name.name}`, unit)
    })
  }

  it("is read from the output of systemctl show", () => {
    const shown = `Type=notify\nNotifyAccess=all\nTimeoutStopUSec=1min 30s\nControlGroup=${ofUser}/a.service\nDelegate=yes\nId=a.service\n`
    assert.deepStrictEqual(unitFacts({ name: "alias.service", manager: "user" }, shown), {
      name: "a.service",
      manager: "user",
      type: "notify",
      notifyAccess: "all",
      isDelegated: true,
      stopTimeoutMs: 90_000,
      controlGroup: `${ofUser}/a.service`
    })
  })

  it("may have no stop timeout", () => {
    for (const limit of ["infinity", "0"]) {
      const facts = unitFacts(
        { name: "a.service", manager: "user" },
        `TimeoutStopUSec=${limit}\nControlGroup=/a`
      )
      assert.isUndefined(facts?.stopTimeoutMs)
      assert.isFalse(facts?.isDelegated)
    }
  })

  it("is unknown when it does not run", () => {
    const shown = "Type=notify\nTimeoutStopUSec=30s\nControlGroup=\n"
    assert.isUndefined(unitFacts({ name: "a.service", manager: "user" }, shown))
    assert.isUndefined(unitFacts({ name: "a.service", manager: "user" }, ""))
  })
})

describe("a duration of systemd", () => {
  const written: ReadonlyArray<readonly [string, number | undefined]> = [
    ["30s", 30_000],
    ["1min 30s", 90_000],
    ["1min", 60_000],
    ["500ms", 500],
    ["1.500s", 1500],
    ["1h 2min 3s 4ms 5us", 3_723_004.005],
    ["1w 2d", 777_600_000],
    ["infinity", Number.POSITIVE_INFINITY],
    ["0", 0],
    ["", undefined],
    ["90", undefined],
    ["1 min", undefined],
    ["1fortnight", undefined],
    ["1constructor", undefined]
  ]
  for (const [text, durationMs] of written) {
    it(`"${text}" is ${durationMs} ms`, () => assert.strictEqual(systemdDurationMs(text), durationMs))
  }

  it("is the sum of its parts", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.nat(23),
        FastCheck.nat(59),
        FastCheck.nat(59),
        (hours, minutes, seconds) =>
          systemdDurationMs(`${hours}h ${minutes}min ${seconds}s`) ===
          ((hours * 60 + minutes) * 60 + seconds) * 1000
      )
    )
  })
})
