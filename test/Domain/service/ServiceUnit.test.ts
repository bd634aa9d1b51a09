import * as fs from "node:fs"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  daemonUnit,
  homeOfLauncher,
  launcherIn,
  panelUnit,
  serviceUnits,
  unitText,
  whyUnitNotCurrent
} from "../../../src/Domain/service/ServiceUnit.ts"

const shippedOf = ({ name }: { readonly name: string }) =>
  fs.readFileSync(resolve(import.meta.dirname, "../../../systemd", name), "utf8")
const shipped = shippedOf(daemonUnit)

const commands = (unit: string) => unit.split("\n").filter((line) => /^Exec\w+=/.test(line))

const anyHome = FastCheck.array(
  FastCheck.oneof(
    FastCheck.constantFrom('"', "'", "\\", "%", "$", "%h", "$X", "$$", " ", "\n", "\\x41", " start "),
    FastCheck.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", ""))
  ),
  { minLength: 1, maxLength: 6 }
).map((parts) => `/${parts.join("")}`)

describe("the units", () => {
  it("are all shipped", () => {
    assert.deepStrictEqual(
      serviceUnits.map(({ name }) => name).toSorted(),
      fs.readdirSync(resolve(import.meta.dirname, "../../../systemd")).toSorted()
    )
  })

  it("are the shipped files for the default home, so that a copy by hand does the same", () => {
    assert.strictEqual(unitText(shipped, undefined), shipped)
    assert.strictEqual(launcherIn(shipped), "default")
  })

  it("run the launcher of another home in each command, and differ in nothing else", () => {
    const unit = unitText(shipped, "/srv/agents/bin/autopilotd")
    const ours = (line: string) => line.includes("bin/autopilotd")
    assert.deepStrictEqual(commands(unit).filter(ours), [
      "ExecStart=/srv/agents/bin/autopilotd start --keep-state",
      "ExecReload=/srv/agents/bin/autopilotd reload"
    ])
    assert.strictEqual(launcherIn(shippedOf(panelUnit)), "default")
    const panel = unitText(shippedOf(panelUnit), "/srv/agents/bin/autopilotd")
    assert.deepStrictEqual(commands(panel), ["ExecStart=/srv/agents/bin/autopilotd gui"])
    assert.strictEqual(launcherIn(panel), "/srv/agents/bin/autopilotd")
    const others = (text: string) => text.split("\n").filter((line) => !commands(text).includes(line))
    assert.deepStrictEqual(others(unit), others(shipped))
    assert.notInclude(commands(unit).join(), "%h")
  })

  it("write a path as systemd reads it", () => {
    assert.strictEqual(
      commands(unitText(shipped, `/a b/100%/$HOME/"q"\\/bin/autopilotd`))[0],
      `ExecStart=/bin/sh "/a b/100%%/$$HOME/\\"q\\"\\\\/bin/autopilotd" start --keep-state`
    )
  })

  it("name their home, whatever its path", () => {
    FastCheck.assert(
      FastCheck.property(anyHome, (home) => {
        const launcher = `${home}/bin/autopilotd`
        const unit = unitText(shipped, launcher)
        assert.strictEqual(unit.split("\n").length, shipped.split("\n").length)
        assert.strictEqual(launcherIn(unit), launcher)
        assert.strictEqual(homeOfLauncher(launcher), home)
      })
    )
  })

  it("of the user's own have no home", () => {
    assert.isUndefined(launcherIn("[Service]\nExecStart=/usr/bin/node /opt/x.js start\n"))
    assert.isUndefined(launcherIn("[Service]\n"))
  })

  it("are current, or differ in a named way", () => {
    assert.isUndefined(whyUnitNotCurrent(shipped, shipped))
    assert.strictEqual(whyUnitNotCurrent(undefined, shipped), "is missing")
    assert.match(whyUnitNotCurrent(`${shipped}\n`, shipped) ?? "", /another version, or changed by hand/)
    assert.strictEqual(
      whyUnitNotCurrent(unitText(shipped, "/srv/bin/autopilotd"), shipped),
      "starts another program"
    )
  })
})
