import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  absoluteFolders,
  isLauncher,
  type Launcher,
  launcherText,
  readLauncher,
  whyLauncherNotCurrent
} from "../../../src/Domain/service/Launcher.ts"

const plain: Launcher = {
  node: "/usr/bin/node",
  bundle: "/opt/autopilotd/dist/autopilotd.js",
  path: ["/home/u/.local/bin", "/usr/bin"],
  home: undefined
}

/** Characters that a shell would act on, and lines that look like assignments. */
const anyPath = FastCheck.array(
  FastCheck.oneof(
    FastCheck.constantFrom(
      "'",
      '"',
      "$",
      "%",
      "\\",
      " ",
      "`",
      "\n",
      "\t",
      "''",
      "\\'",
      "$(x)",
      "é",
      "node='x'"
    ),
    FastCheck.string({ unit: "grapheme" }).map((text) => text.replaceAll(":", "").replaceAll("\0", ""))
  ),
  { maxLength: 6 }
).map((parts) => `/${parts.join("")}`)

describe("the launcher", () => {
  it("stays as process 1 with the same lines as bin/autopilotd", () => {
    const lines = (text: string) => text.slice(text.indexOf("# As process 1"), text.indexOf("is_init=1"))
    const shipped = readFileSync(resolve(import.meta.dirname, "../../../bin/autopilotd"), "utf8")
    assert.include(shipped, "stay_as_init()")
    assert.strictEqual(lines(launcherText(plain)).replace(/\n+/g, "\n"), lines(shipped).replace(/\n+/g, "\n"))
  })

  it("is parsed as written, whatever the paths", () => {
    FastCheck.assert(
      FastCheck.property(
        anyPath,
        anyPath,
        FastCheck.uniqueArray(anyPath, { maxLength: 4 }),
        FastCheck.option(anyPath, { nil: undefined }),
        (node, bundle, path, home) => {
          const launcher = { node, bundle, path, home }
          assert.deepStrictEqual(readLauncher(launcherText(launcher)), launcher)
        }
      )
    )
  })

  it("begins with its author and how to renew it", () => {
    const [first, second] = launcherText(plain).split("\n")
    assert.strictEqual(first, "#!/bin/sh")
    assert.match(second ?? "", /^# Written by `autopilotd install`\. Run that again/)
    assert.isTrue(isLauncher(launcherText(plain)))
    assert.isFalse(isLauncher("#!/bin/sh\nexec node\n"))
    assert.isUndefined(readLauncher("#!/bin/sh\nnode='/x'\nbundle='/y'\n"))
  })

  it("has no line for the default home or an empty PATH", () => {
    assert.notInclude(launcherText(plain), "AUTOPILOT_HOME")
    assert.include(launcherText({ ...plain, home: "/srv" }), "AUTOPILOT_HOME")
    assert.notInclude(launcherText({ ...plain, path: [] }), "export PATH")
  })

  it("has the distinct absolute folders of a PATH, in their order", () => {
    assert.deepStrictEqual(absoluteFolders("/b:.::/a:bin:/b:~/x:/c"), ["/b", "/a", "/c"])
    assert.deepStrictEqual(absoluteFolders(undefined), [])
  })

  it("is current, or differs in a named way", () => {
    const found = (launcher: Launcher) => ({ text: launcherText(launcher), isExecutable: true })
    assert.isUndefined(whyLauncherNotCurrent(found(plain), plain))
    const cases: ReadonlyArray<readonly [Parameters<typeof whyLauncherNotCurrent>[0], RegExp]> = [
      [undefined, /^is missing$/],
      [{ text: undefined, isExecutable: true }, /^was not written by autopilotd install$/],
      [{ text: "#!/bin/sh\n", isExecutable: true }, /^was not written by autopilotd install$/],
      [found({ ...plain, node: "/old/node" }), /^starts another Node, \/old\/node$/],
      [found({ ...plain, bundle: "/old.js" }), /^starts another autopilotd, \/old\.js$/],
      [found({ ...plain, home: "/srv" }), /^is for another home, \/srv$/],
      [found({ ...plain, path: ["/bin"] }), /^has another PATH$/],
      [{ text: `${launcherText(plain)}# x\n`, isExecutable: true }, /^was written by another version/],
      [{ ...found(plain), isExecutable: false }, /^is not executable$/]
    ]
    for (const [given, why] of cases)
      assert.match(whyLauncherNotCurrent(given, plain) ?? "it is current", why)
  })
})
