import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { decodeHosts, hostNamed, lineOfKey } from "../../../src/Domain/remote/Hosts.ts"
import { parseHostUrl } from "../../../src/Domain/remote/HostUrl.ts"
import { sshConfigArgs } from "../../../src/Domain/remote/SshCommand.ts"

describe("a host as a user names it", () => {
  it("is a name, user@host, an address, or a URL with user, port and home", () => {
    const read = (text: string) => {
      const { name, ...rest } = Either.getOrThrow(parseHostUrl(text))
      assert.strictEqual(name, text)
      return rest
    }
    assert.deepStrictEqual(read("box"), { host: "box" })
    assert.deepStrictEqual(read("me@box.example.org"), { host: "box.example.org", user: "me" })
    assert.deepStrictEqual(read("me@corp.example@box"), { host: "box", user: "me@corp.example" })
    assert.deepStrictEqual(read("2001:db8::1"), { host: "2001:db8::1" })
    assert.deepStrictEqual(read("ssh://box"), { host: "box" })
    assert.deepStrictEqual(read("ssh://box/"), { host: "box" })
    assert.deepStrictEqual(read("ssh://me@box:2222/srv/my%20agents"), {
      host: "box",
      user: "me",
      port: 2222,
      home: "/srv/my agents"
    })
    assert.deepStrictEqual(read("ssh://[::1]:22"), { host: "::1", port: 22 })
  })

  it("is refused with the reason where it cannot be handed to ssh", () => {
    const table: ReadonlyArray<readonly [string, RegExp]> = [
      ["", /its host is empty/],
      ["ssh://", /its host is empty/],
      ["@box", /its user is empty/],
      ["-oProxyCommand=id", /its host begins with "-"/],
      ["ssh://-oProxyCommand=id", /its host begins with "-"/],
      ["-l@box", /its user begins with "-"/],
      ["ssh://%2Dl@box", /its user begins with "-"/],
      ["me:secret@box", /has a password/],
      ["ssh://me:secret@box", /has a password/],
      ["ssh://box?x=1", /neither query nor fragment/],
      ["ssh://box#x", /neither query nor fragment/],
      ["ssh://box:0", /port must be a number from 1 to 65535, not "0"/],
      ["ssh://box:65536", /port must be/],
      ["ssh://box:", /port must be/],
      ["ssh://::1", /stands in brackets|port must be/],
      ["ssh://%zz@box", /two hexadecimal digits/],
      ["ssh://box/a%0ab", /invisible character/],
      ["tcp://box:2375", /opens no port that tcp:\/\/ could reach, on purpose/],
      ["http://box", /opens no port that http:\/\//],
      ["SSH://box", /small letters/],
      ["box:22", /needs a URL/],
      ["box:/srv", /needs a URL: ssh:\/\/box\/srv/],
      ["box;id", /has ";" in it/],
      ["$(id)", /has "\$" in it/],
      ["a b", /has " " in it/],
      ["a\u001b[2J", /in it/]
    ]
    for (const [text, reason] of table) {
      const parsed = parseHostUrl(text)
      assert.isTrue(Either.isLeft(parsed), text)
      if (Either.isLeft(parsed)) {
        assert.match(parsed.left, reason, text)
        assert.notMatch(parsed.left, /\p{Cc}|secret/u)
      }
    }
  })

  it("never becomes an option of ssh, or a word of a shell", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.tuple(
          FastCheck.constantFrom("", "ssh://", "-", "a@", "ssh://-"),
          FastCheck.oneof(FastCheck.string(), FastCheck.webUrl(), FastCheck.fullUnicodeString())
        ),
        ([before, text]) => {
          const parsed = parseHostUrl(`${before}${text}`)
          if (Either.isLeft(parsed)) return
          const { host, user = "u" } = parsed.right
          for (const word of [host, user])
            assert.match(word, /^[^-\s'"`$\\;&<>|(){}*?!][^\s'"`$\\;&<>|(){}*?!]*$/u)
          assert.strictEqual(sshConfigArgs(parsed.right).at(-2), "--")
        }
      )
    )
  })
})

describe("hosts.toml", () => {
  it("names hosts with a URL, a home and a colour", () => {
    const hosts = Either.getOrThrow(
      decodeHosts({
        hosts: {
          box: { url: "ssh://me@box:22", color: "green" },
          lab: { home: "/srv/agents" },
          west: { url: "west.example.org", home: "/srv/w" }
        }
      })
    )
    assert.deepStrictEqual(hosts, [
      { name: "box", host: "box", user: "me", port: 22, color: "green" },
      { name: "lab", host: "lab", home: "/srv/agents" },
      { name: "west", host: "west.example.org", home: "/srv/w" }
    ])
    assert.deepStrictEqual(Either.getOrThrow(hostNamed("lab", hosts)), hosts[1])
    assert.deepStrictEqual(Either.getOrThrow(hostNamed("other", hosts)), { name: "other", host: "other" })
    assert.deepStrictEqual(Either.getOrThrow(decodeHosts({})), [])
  })

  it("has all its problems told at once, each with its line", () => {
    const text =
      '[hosts.box]\nurl = "tcp://box"\ncolour = "green"\n\n[hosts.lab]\nhome = "srv"\ncolor = "pink"\n[hosts.local]\n[ hosts . "both" ]\nurl = "ssh://b/x"\nhome = "/y"\n[fleet]\n'
    const problems = Either.flip(
      decodeHosts({
        hosts: {
          box: { url: "tcp://box", colour: "green" },
          lab: { home: "srv", color: "pink" },
          local: {},
          both: { url: "ssh://b/x", home: "/y" },
          flat: 1
        },
        fleet: {}
      })
    )
    const told = Either.getOrThrow(problems).map(
      ({ path, reason }) => `${lineOfKey(text, path)} ${path.join(".")} ${reason}`
    )
    const wanted = [
      /^12 fleet is not a key of this file/,
      /^3 hosts\.box\.colour is not a key of a host, which are url, home, color/,
      /^2 hosts\.box\.url is "tcp:\/\/box", which cannot be used: autopilotd opens no port/,
      /^6 hosts\.lab\.home must be the absolute path/,
      /^7 hosts\.lab\.color must be one of red, /,
      /^8 hosts\.local is not a name for a host/,
      /^11 hosts\.both\.home must not be set beside a url with a path/,
      /^undefined hosts\.flat must be a table: write \[hosts\.flat\]/
    ]
    assert.strictEqual(told.length, wanted.length)
    wanted.forEach((pattern, at) => {
      assert.match(told[at] ?? "", pattern)
    })
    assert.isTrue(Either.isLeft(decodeHosts({ hosts: 1 })))
  })
})
