import { assert, describe, it } from "@effect/vitest"
import type { ProcessDetails } from "../../../src/Domain/machine/ProcessFacts.ts"
import { isAutopilotd, processName, protectedBy } from "../../../src/Domain/machine/ProcessName.ts"

const process = (row: Partial<ProcessDetails>): ProcessDetails => ({
  comm: "MainThread",
  executable: "/usr/local/bin/node",
  argv: ["node", "server.js"],
  isOwnUser: true,
  ...row
})

describe("a process's name", () => {
  const names: ReadonlyArray<readonly [what: string, row: Partial<ProcessDetails>, name: string]> = [
    ["is its program's, also of Node 24, which calls itself MainThread", {}, "node"],
    ["is its program's when the file was replaced since", { executable: "/opt/node (deleted)" }, "node"],
    ["keeps brackets that belong to it", { executable: "/opt/a (deleted) b" }, "a (deleted) b"],
    ["is what it calls itself when its program cannot be seen", { executable: undefined }, "MainThread"],
    ["is what it calls itself when the link is empty", { executable: "" }, "MainThread"],
    [
      "is not that of a program whose name begins alike",
      { executable: "/bin/node_exporter" },
      "node_exporter"
    ]
  ]
  for (const [what, row, name] of names) {
    it(`${what}`, () => {
      assert.strictEqual(processName(process(row)), name)
    })
  }
})

describe("a process is protected", () => {
  const protectedOnes: ReadonlyArray<readonly [how: string, row: Partial<ProcessDetails>, entry: string]> = [
    ["by its name", {}, "node"],
    ["by what it calls itself", { comm: "next-server" }, "next-server"],
    ["by the beginning of its program's path", { executable: "/opt/tool/bin/x" }, "/opt/tool"],
    ["by a part of its command line", { argv: ["node", "/home/me/.vscode-server/x.js"] }, ".vscode-server"],
    ["by a part that spans arguments", { argv: ["node", "--role", "db"] }, "--role db"]
  ]
  for (const [how, row, entry] of protectedOnes) {
    it(`${how}`, () => {
      assert.strictEqual(protectedBy(process(row), ["nothing", entry, "node"]), entry)
    })
  }

  it("by nothing else: not by a part of its name, nor of a path", () => {
    const one = process({ argv: ["n"] })
    assert.isUndefined(protectedBy(one, ["nod", "/local", "bin", "MainThrea", "/usr/local/bin/node/x"]))
    assert.isUndefined(protectedBy(one, []))
  })
})

describe("an autopilotd", () => {
  const yes: ReadonlyArray<readonly [what: string, row: Partial<ProcessDetails>]> = [
    [
      "is this one, as its launcher starts it",
      { argv: ["node", "--inspect-port=192.0.2.1:1024", "/a/dist/autopilotd.js", "start"] }
    ],
    [
      "is one with options of Node that have values",
      { argv: ["node", "-r", "./x.js", "dist/autopilotd.js"] }
    ],
    ["is its launcher", { executable: "/bin/dash", argv: ["/bin/sh", "/usr/bin/autopilotd", "status"] }],
    ["is the original", { executable: "/home/me/autopilotd", argv: ["./autopilotd"] }],
    ["is the original whose program cannot be seen", { executable: undefined, comm: "autopilotd", argv: [] }],
    ["is one under a link of that name", { argv: ["autopilotd", "start"] }]
  ]
  for (const [what, row] of yes) {
    it(`${what}`, () => {
      assert.isTrue(isAutopilotd(process(row)))
    })
  }

  const no: ReadonlyArray<readonly [what: string, row: Partial<ProcessDetails>]> = [
    [
      "is no program that has such a file as an argument",
      { argv: ["node", "build.js", "dist/autopilotd.js"] }
    ],
    [
      "is no editor of such a file",
      { executable: "/usr/bin/vim", argv: ["vim", "+3", "x.ts", "autopilotd.js"] }
    ],
    ["is no agent that is told about it", { argv: ["claude", "-p", "mend autopilotd"] }],
    [
      "is no program of a name that begins alike",
      { executable: "/bin/autopilotd-gui", argv: ["autopilotd-gui"] }
    ],
    ["is nothing without a command line", { argv: [] }]
  ]
  for (const [what, row] of no) {
    it(`${what}`, () => {
      assert.isFalse(isAutopilotd(process(row)))
    })
  }
})
