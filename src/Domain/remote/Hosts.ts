import * as Either from "effect/Either"
import { quoted } from "../text/Printable.ts"
import { isTable, type RawSettings } from "../toml/RawSettings.ts"
import { isHomeThere, parseHostUrl, type RemoteHost, thisMachine } from "./HostUrl.ts"

/** The colours in which a host can be shown. */
const hostColors = ["red", "yellow", "green", "cyan", "blue", "magenta", "gray"] as const

export type HostColor = (typeof hostColors)[number]

/** A host of hosts.toml. */
export interface KnownHost extends RemoteHost {
  readonly color?: HostColor
}

/** A problem of hosts.toml at a key, before its line is known. */
interface HostsProblem {
  readonly path: ReadonlyArray<string>
  /** Continues a sentence that begins with the key. */
  readonly reason: string
}

const isHostName = (name: string): boolean =>
  /^[A-Za-z\d][A-Za-z\d._-]{0,63}$/.test(name) && name !== thisMachine

const colorOf = (value: unknown): HostColor | undefined => hostColors.find((color) => color === value)

const keys: ReadonlyArray<string> = ["url", "home", "color"]

/** One table. `url` is by default the name itself, for hosts of ssh_config that only need a home or a colour. */
const hostOf = (name: string, raw: unknown): Either.Either<KnownHost, ReadonlyArray<HostsProblem>> => {
  const path = ["hosts", name]
  if (!isHostName(name)) {
    const reason = `is not a name for a host: it must be 1 to 64 letters, digits, ".", "_" or "-", begin with a letter or a digit, and not be ${thisMachine}`
    return Either.left([{ path, reason }])
  }
  if (!isTable(raw)) return Either.left([{ path, reason: `must be a table: write [hosts.${name}]` }])
  const problems: Array<HostsProblem> = Object.keys(raw)
    .filter((key) => !keys.includes(key))
    .map((key) => ({ path: [...path, key], reason: `is not a key of a host, which are ${keys.join(", ")}` }))
  const wrong = (key: string, reason: string) => {
    problems.push({ path: [...path, key], reason })
  }
  const { color, home, url = name } = raw
  const parsed = typeof url === "string" ? parseHostUrl(url) : undefined
  if (parsed === undefined) wrong("url", "must be a text, as in ssh://user@host")
  else if (Either.isLeft(parsed))
    wrong("url", `is ${quoted(String(url))}, which cannot be used: ${parsed.left}`)
  if (home !== undefined && !(typeof home === "string" && isHomeThere(home)))
    wrong("home", "must be the absolute path of AUTOPILOT_HOME on that host, as in /srv/agents")
  if (color !== undefined && colorOf(color) === undefined)
    wrong("color", `must be one of ${hostColors.join(", ")}`)
  if (home !== undefined && parsed !== undefined && Either.isRight(parsed) && parsed.right.home !== undefined)
    wrong("home", "must not be set beside a url with a path, which names the home already")
  if (problems.length > 0 || parsed === undefined || Either.isLeft(parsed)) return Either.left(problems)
  const shown = colorOf(color)
  return Either.right({
    ...parsed.right,
    name,
    ...(typeof home === "string" ? { home } : {}),
    ...(shown === undefined ? {} : { color: shown })
  })
}

/** Decodes hosts.toml to its hosts in the order of the file, or returns every problem. */
export const decodeHosts = (
  raw: RawSettings
): Either.Either<ReadonlyArray<KnownHost>, ReadonlyArray<HostsProblem>> => {
  const strange = Object.keys(raw)
    .filter((key) => key !== "hosts")
    .map(
      (key): HostsProblem => ({
        path: [key],
        reason: "is not a key of this file: it has tables [hosts.NAME] only"
      })
    )
  const { hosts = {} } = raw
  if (!isTable(hosts))
    return Either.left([...strange, { path: ["hosts"], reason: "must be tables: write [hosts.NAME]" }])
  const rows = Object.entries(hosts).map(([name, value]) => hostOf(name, value))
  const problems = [...strange, ...rows.flatMap((row) => (Either.isLeft(row) ? row.left : []))]
  return problems.length > 0
    ? Either.left(problems)
    : Either.right(rows.flatMap((row) => (Either.isRight(row) ? [row.right] : [])))
}

/** A host by what a user names: a name of hosts.toml first, else as `parseHostUrl` reads it. */
export const hostNamed = (
  name: string,
  hosts: ReadonlyArray<KnownHost>
): Either.Either<KnownHost, string> => {
  const known = hosts.find((host) => host.name === name)
  return known === undefined ? parseHostUrl(name) : Either.right(known)
}

/**
 * The line of a key of hosts.toml, or of the table above it; undefined if neither is written in the usual form. A reading
 * by the letter, so that no quick command loads a second parser.
 */
export const lineOfKey = (text: string, path: ReadonlyArray<string>): number | undefined => {
  const [table, name, key] = path
  const lines = text.split(/\r?\n/)
  const isHeader = (line: string) => {
    const written = /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.replace(/[\s"']/g, "")
    return name === undefined ? written?.split(".", 1)[0] === table : written === `${table}.${name}`
  }
  const isKey = (line: string, wanted: string | undefined) =>
    wanted !== undefined && /^\s*["']?([^"'\s=]+)["']?\s*=/.exec(line)?.[1] === wanted
  const header = lines.findIndex(isHeader)
  if (name === undefined || header === -1) {
    const at = lines.findIndex((line) => isKey(line, table) || isHeader(line))
    return at === -1 ? undefined : at + 1
  }
  const end = lines.findIndex((line, at) => at > header && /^\s*\[/.test(line))
  const inside = lines.findIndex((line, at) => at > header && (end === -1 || at < end) && isKey(line, key))
  return (inside === -1 ? header : inside) + 1
}
