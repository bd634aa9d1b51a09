import { assert, describe, it } from "@effect/vitest"
import type { RemoteHost } from "../../../src/Domain/remote/HostUrl.ts"
import { sshCommand, sshConfigArgs, sshStream } from "../../../src/Domain/remote/SshCommand.ts"
import { readSshConfig } from "../../../src/Domain/remote/SshConfig.ts"
import { withoutNoise } from "../../../src/Domain/remote/SshNoise.ts"

const box: RemoteHost = {
  name: "box",
  host: "box.example.org",
  user: "me",
  port: 2222,
  home: "/srv/my agents"
}
const defaults = readSshConfig(
  "controlmaster false\ncontrolpersist no\nconnecttimeout none\nserveraliveinterval 0\nserveralivecountmax 3\nloglevel INFO\nbatchmode no\n"
)
const run = {
  words: ["status"],
  variables: {},
  wantsLoginPath: false,
  endsWithInput: false,
  marksBegin: false,
  hasTerminal: false
}
const optionsOf = (argv: ReadonlyArray<string>) =>
  argv.flatMap((word, at) => (argv[at - 1] === "-o" ? [word] : []))

describe("the command line of ssh", () => {
  it("ends in the host and one word for the shell there, behind --", () => {
    const argv = sshCommand(box, { config: defaults, controlPath: "/run/x/1", canAsk: true }, run)
    assert.strictEqual(argv[0], "-T")
    assert.deepStrictEqual(argv.slice(-7, -1), ["-p", "2222", "-l", "me", "--", "box.example.org"])
    assert.match(
      argv.at(-1) ?? "",
      /^'sh' '-c' .* 'autopilotd' 'AUTOPILOT_HOME=\/srv\/my agents' '--' 'status'$/
    )
    assert.deepStrictEqual(sshConfigArgs(box), ["-G", ...argv.slice(-7, -1)])
    const there = sshCommand(
      box,
      { config: defaults, controlPath: undefined, canAsk: true },
      { ...run, hasTerminal: true }
    )
    assert.strictEqual(there[0], "-t")
  })

  it("shares a connection for a minute, and never weakens a check", () => {
    const options = optionsOf(
      sshCommand(box, { config: defaults, controlPath: "/run/x/1", canAsk: true }, run)
    )
    assert.includeMembers(
      [...options],
      [
        "ControlMaster=auto",
        "ControlPath=/run/x/1",
        "ControlPersist=60",
        "ConnectTimeout=10",
        "ServerAliveInterval=15"
      ]
    )
    assert.notInclude(options, "BatchMode=yes")
    assert.notMatch(options.join(" "), /StrictHostKeyChecking|UserKnownHostsFile/)
    assert.includeMembers([...options], ["ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes"])
  })

  it("for the panel forwards one port to the same one there, over a connection of its own", () => {
    const here = { config: defaults, controlPath: "/run/x/1", canAsk: true, forwardedPort: 7420 }
    const options = optionsOf(sshCommand(box, here, run))
    assert.includeMembers([...options], ["LocalForward=127.0.0.1:7420 127.0.0.1:7420", "ControlPath=none"])
    assert.notMatch(options.join(" "), /ClearAllForwardings|ControlPersist|ControlMaster=auto/)
  })

  it("leaves alone what the user has set in ssh_config", () => {
    const own = readSshConfig(
      "controlmaster auto\ncontrolpath /home/me/.ssh/cm\nconnecttimeout 3\nserveraliveinterval 60\nloglevel DEBUG1\n"
    )
    const options = optionsOf(sshCommand(box, { config: own, controlPath: "/run/x/1", canAsk: true }, run))
    assert.notMatch(options.join(" "), /Control(Master|Path|Persist)|ConnectTimeout|ServerAlive|LogLevel/)
    // A path alone means a connection that the user holds by hand.
    const byHand = readSshConfig("controlmaster false\ncontrolpath /home/me/.ssh/cm\n")
    const others = optionsOf(sshCommand(box, { config: byHand, controlPath: "/run/x/1", canAsk: true }, run))
    assert.notMatch(others.join(" "), /Control/)
  })

  it("connects anew each time where the path of a shared connection would be fatal to ssh", () => {
    for (const controlPath of [
      undefined,
      `/run/${"x".repeat(86)}`,
      `/run/${"\u00fc".repeat(43)}`,
      "/run/a b",
      "/run/%d"
    ]) {
      const options = optionsOf(sshCommand(box, { config: defaults, controlPath, canAsk: true }, run))
      assert.notMatch(options.join(" "), /Control/, controlPath)
    }
    const longest = `/run/${"x".repeat(85)}`
    const options = optionsOf(sshCommand(box, { config: defaults, controlPath: longest, canAsk: true }, run))
    assert.include(options, `ControlPath=${longest}`)
  })

  it("of a stream asks nobody, and names no host", () => {
    const argv = sshStream(box, { config: defaults, controlPath: undefined }, { readOnly: true })
    assert.strictEqual(argv[0], "-T")
    assert.include(optionsOf(argv), "BatchMode=yes")
    assert.match(argv.at(-1) ?? "", /'--' 'dial-stdio' '--read-only'$/)
    assert.include(argv.at(-1), "unset AUTOPILOTD_HOST")
  })
})

describe("the standard error of ssh", () => {
  it("is shown without the lines that mean nothing, however it is cut", () => {
    const text =
      "a\nControlSocket /run/x already exists, disabling multiplexing\r\nmux_client_request_session: session request failed: Session open refused by peer\nShared connection to box closed.\r\nControl\nPassword: "
    for (let size = 1; size <= text.length; size++) {
      let rest = ""
      let shown = ""
      for (let at = 0; at < text.length; at += size) {
        const next = withoutNoise(rest, text.slice(at, at + size))
        rest = next.rest
        shown += next.shown
      }
      assert.strictEqual(shown + rest, "a\nControl\nPassword: ")
    }
    assert.deepStrictEqual(withoutNoise("", "Password: "), { shown: "Password: ", rest: "" })
  })
})
