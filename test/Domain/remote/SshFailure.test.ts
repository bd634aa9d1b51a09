import { assert, describe, it } from "@effect/vitest"
import { noStream, sshFailure, sshNotStarted } from "../../../src/Domain/remote/SshFailure.ts"

const box = { name: "box", host: "box.example.org", user: "me", port: 2222 }

const failed = (stderr: string, code: number | undefined = 255) =>
  sshFailure({ host: box, code, stderr, version: "1.2.3" })

describe("the end of an ssh", () => {
  it("that failed says what that means and what to do, with the name of the host", () => {
    const table: ReadonlyArray<readonly [string, string, RegExp]> = [
      [
        "ssh: Could not resolve hostname nosuch: Name or service not known",
        "HostUnreachable",
        /its name leads nowhere\. Check the spelling; ~\/\.autopilot\/hosts\.toml and ~\/\.ssh\/config decide what box stands for/
      ],
      [
        "ssh: connect to host 127.0.0.1 port 1: Connection refused",
        "HostUnreachable",
        /nothing listens at its port/
      ],
      [
        "ssh: connect to host 192.0.2.1 port 22: Connection timed out",
        "HostUnreachable",
        /it does not answer/
      ],
      ["ssh: connect to host 192.0.2.1 port 22: No route to host", "HostUnreachable", /it does not answer/],
      [
        "Connection timed out during banner exchange\nConnection to 127.0.0.1 port 9 timed out",
        "HostUnreachable",
        /does not speak ssh/
      ],
      [
        "kex_exchange_identification: Connection closed by remote host\nConnection closed by 127.0.0.1 port 9",
        "HostUnreachable",
        /does not speak ssh or drops it/
      ],
      [
        "Host key verification failed.",
        "HostRefused",
        /Connect once by hand, compare the key, and accept it: ssh -p 2222 me@box\.example\.org\. Never switch the check off/
      ],
      [
        "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.",
        "HostRefused",
        /another key than before/
      ],
      [
        "me@127.0.0.1: Permission denied (publickey).",
        "HostRefused",
        /ssh-copy-id -p 2222 me@box\.example\.org/
      ],
      [
        "/etc/ssh/x: line 1: Bad configuration option: foo\n/etc/ssh/x: terminating, 1 bad configuration options",
        "SshUnusable",
        /refuses its own configuration/
      ],
      [
        "Timeout, server 127.0.0.1 not responding.",
        "HostUnreachable",
        /was cut\. What was begun there may still go on/
      ],
      ["", "HostUnreachable", /ended, or a signal killed the command there/]
    ]
    for (const [stderr, tag, meaning] of table) {
      const failure = failed(`Some banner\n${stderr}\r\n`)
      assert.strictEqual(failure?._tag, tag, stderr)
      assert.match(failure?.meaning ?? "", meaning)
      assert.include(failure?.meaning, "box")
      assert.notMatch(failure?.meaning ?? "", /\b[HD]\b/)
      if (stderr !== "") assert.include(failure?.message, failure?.said ?? "nothing")
    }
  })

  it("with another code than 255 is the end of the command there, and its own words are enough", () => {
    for (const code of [0, 1, 4, 5, 124, 130])
      assert.isUndefined(failed("Permission denied (publickey).", code))
  })

  it("says where autopilotd is missing, where no daemon runs, and where it is too old", () => {
    assert.strictEqual(failed("", 127)?._tag, "NotInstalledThere")
    assert.strictEqual(failed("sh: 1: sh: not found", 127)?.said, "sh: 1: sh: not found")
    assert.include(failed("", 3)?.meaning, "autopilotd --host box start --detach")
    const old = failed('autopilotd: Unknown command "dial-stdio".', 2)
    assert.strictEqual(old?._tag, "OtherVersionThere")
    assert.match(old?.message ?? "", /older than 1\.2\.3.*autopilotd --host box --version.*Unknown command/)
  })

  it("shows hostile text of the other machine without its control characters", () => {
    for (const failure of [
      failed("\u001b]0;x\u0007Permission denied (\u202e)"),
      noStream({ name: "a\u001b[2J", host: "a" }, "\u001b[2Jhello\n")
    ]) {
      assert.notMatch(failure?.message ?? "\n", /[\p{Cc}\p{Cf}]/u)
    }
    assert.include(noStream(box, "\n\nWelcome!\nmore").message, "Welcome!")
    assert.match(noStream(box, "").message, /answers with nothing/)
    assert.match(
      sshNotStarted(box, "it is not installed or not on PATH").message,
      /apt-get install openssh-client/
    )
  })
})
