import * as Either from "effect/Either"
import { quoted } from "../text/Printable.ts"

/** A machine that ssh reaches. */
export interface RemoteHost {
  /** The words of the user, which messages and commands show. */
  readonly name: string
  /** The host, for ssh: a name, an alias of ssh_config, or an address without brackets. */
  readonly host: string
  readonly user?: string
  readonly port?: number
  /** AUTOPILOT_HOME there, an absolute path. Undefined for the user's default. */
  readonly home?: string
}

/** The name of the machine on which the command is typed: `--host local`, as `--host ''`. */
export const thisMachine = "local"

/** ssh hands host and user to ProxyCommand and `Match exec`, which are lines of a shell (CVE-2023-51385). */
const unsafe = /[\s\p{Cc}\p{Cf}'"`$\\;&<>|(){}*?!#,~^/]/u

/** The reason why a host or a user cannot be handed to ssh; undefined if it can. */
const whyUnsafe = (what: "host" | "user", text: string): string | undefined => {
  if (text === "") return `its ${what} is empty`
  if (text.startsWith("-")) return `its ${what} begins with "-", which ssh takes for an option`
  const found = unsafe.exec(text)?.[0]
  return found === undefined ? undefined : `its ${what} has ${quoted(found)} in it`
}

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const maxPort = 65_535

/** Whether a path can be AUTOPILOT_HOME of another machine. */
export const isHomeThere = (path: string): boolean => path.startsWith("/") && !/[\p{Cc}\p{Cf}]/u.test(path)

/** Takes user and host from `user@host`; the user may have an @ in it. */
const userAndHost = (text: string): { readonly user: string | undefined; readonly host: string } => {
  const at = text.lastIndexOf("@")
  return at === -1 ? { user: undefined, host: text } : { user: text.slice(0, at), host: text.slice(at + 1) }
}

const checked = (host: RemoteHost): Either.Either<RemoteHost, string> => {
  const why =
    whyUnsafe("host", host.host) ?? (host.user === undefined ? undefined : whyUnsafe("user", host.user))
  return why === undefined ? Either.right(host) : Either.left(why)
}

/** `ssh://[user@]host[:port][/absolute/home]`, as ssh(1) has it, with a path of ours. */
const parseUrl = (name: string): Either.Either<RemoteHost, string> => {
  const rest = name.slice("ssh://".length)
  if (/[?#]/.test(rest))
    return Either.left('it has a "?" or "#", and ssh:// URLs have neither query nor fragment')
  const [, authority = "", path = ""] = /^([^/]*)(.*)$/su.exec(rest) ?? []
  const { host: place, user: coded } = userAndHost(authority)
  if (coded?.includes(":") === true)
    return Either.left(
      "it has a password, which others could read in the list of processes: use a key instead"
    )
  const user = coded === undefined ? undefined : decoded(coded)
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/su.exec(place) ?? []
  const host = bracketed ?? plain
  if (host === undefined) return Either.left("an IPv6 address stands in brackets, as in ssh://[::1]:22")
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= maxPort))
    return Either.left(`its port must be a number from 1 to ${maxPort}, not ${quoted(port)}`)
  const home = decoded(path)
  if (home === undefined || (coded !== undefined && user === undefined))
    return Either.left('a "%" in it is not followed by two hexadecimal digits')
  if (home !== "" && home !== "/" && !isHomeThere(home))
    return Either.left("its path has an invisible character")
  return checked({
    name,
    host,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(home === "" || home === "/" ? {} : { home })
  })
}

/**
 * Parses a host as a user names it: `ssh://[user@]host[:port][/absolute/home]`, `user@host`, or a name that ssh_config or
 * DNS knows. A Left is the reason why it cannot be used, a clause without its full stop.
 */
export const parseHostUrl = (name: string): Either.Either<RemoteHost, string> => {
  if (name.startsWith("ssh://")) return parseUrl(name)
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(name)?.[1]?.toLowerCase()
  if (scheme !== undefined)
    return Either.left(
      scheme === "ssh"
        ? "write ssh:// in small letters"
        : `autopilotd opens no port that ${scheme}:// could reach, on purpose: it connects by ssh, as in ssh://user@host`
    )
  const { host, user } = userAndHost(name)
  if (user?.includes(":") === true)
    return Either.left(
      "it has a password, which others could read in the list of processes: use a key instead"
    )
  const colons = host.split(":").length - 1
  if (colons === 1)
    return Either.left(
      `a port or a folder needs a URL: ssh://${name.replace(/:(?=\D)\/?/, "/").replace(/:$/, "")}`
    )
  return checked({ name, host, ...(user === undefined ? {} : { user }) })
}
