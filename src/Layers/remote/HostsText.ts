import * as fs from "node:fs"
import { join } from "node:path"
import * as Either from "effect/Either"
import { parse, TomlError } from "smol-toml"
import { decodeHosts, type KnownHost, lineOfKey } from "../../Domain/remote/Hosts.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { distrust } from "../files/Ownership.ts"
import { errorCode, reasonOf } from "../files/SystemError.ts"

/** hosts.toml cannot be used. */
export class HostsInvalid extends Error {
  readonly _tag = "HostsInvalid"
  /** Each is one line that begins with the path. */
  readonly problems: ReadonlyArray<string>

  constructor(problems: ReadonlyArray<string>) {
    super(problems.join("\n"))
    this.problems = problems
  }
}

/** A user writes less by hand. */
const maxBytes = 1024 * 1024

/** The hosts in the text of hosts.toml. Throws `HostsInvalid` with all of its problems. */
const hostsIn = (path: string, text: string): ReadonlyArray<KnownHost> => {
  const at = (line: number | undefined) => `${printable(path)}${line === undefined ? "" : `:${line}`}`
  try {
    const decoded = decodeHosts(parse(text))
    if (Either.isRight(decoded)) return decoded.right
    throw new HostsInvalid(
      decoded.left.map(
        ({ path: key, reason }) => `${at(lineOfKey(text, key))}: ${printable(key.join("."), 200)} ${reason}.`
      )
    )
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    // The next lines of the message are an excerpt of the text.
    const because = cause.message.split("\n", 1)[0]?.replace(/^Invalid TOML document: /, "") ?? ""
    throw new HostsInvalid([`${at(cause.line)}: this is not TOML: ${printable(because)}.`])
  }
}

const hostsFileBelow = (root: string): string => join(root, "hosts.toml")

/**
 * Reads the hosts of hosts.toml below a home; none where the file is missing. Throws `HostsInvalid`, also for a file that
 * other users may write: it says where ssh goes with the user's keys.
 */
export const readHosts = async (root: string): Promise<ReadonlyArray<KnownHost>> => {
  const path = hostsFileBelow(root)
  const refuse = (reason: string) => new HostsInvalid([`${printable(path)} ${reason}.`])
  let text: string
  try {
    const stat = fs.statSync(path)
    if (!stat.isFile()) throw refuse("is not a regular file")
    if (stat.size > maxBytes) throw refuse("is larger than 1 MiB: it is hardly the file that was meant")
    const found = await distrust(stat)
    if (found !== undefined) {
      const fix =
        found.chmod === undefined
          ? "Replace it by a copy of your own"
          : `Run: ${found.chmod} ${printable(path)}`
      throw refuse(`${found.reason}, and it says where ssh goes. ${fix}`)
    }
    text = fs.readFileSync(path, "utf8")
  } catch (cause) {
    if (cause instanceof HostsInvalid) throw cause
    if (errorCode(cause) === "ENOENT") return []
    throw refuse(`cannot be read: ${reasonOf(cause)}`)
  }
  return hostsIn(path, text)
}
