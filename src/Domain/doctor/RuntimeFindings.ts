import { error, type Finding, fine } from "./Finding.ts"

/** The oldest supported Node, as in package.json. */
export const oldestNode = "20.19.0"

const numbers = (version: string): ReadonlyArray<number> =>
  version
    .replace(/^v/, "")
    .split(".")
    .map((part) => Number.parseInt(part, 10))

const isOlder = (version: string, than: string): boolean => {
  const [left, right] = [numbers(version), numbers(than)]
  const at = left.findIndex((part, index) => part !== right[index])
  return at !== -1 && (left[at] ?? 0) < (right[at] ?? 0)
}

/** Judges the runtime of this command. */
export const runtimeFinding = (node: {
  readonly version: string
  readonly path: string
  readonly platform: string
}): Finding => {
  const about = "Node"
  if (isOlder(node.version, oldestNode)) {
    return error(
      about,
      `${node.version} (${node.path}) is too old.`,
      `Install Node ${oldestNode} or newer, then run: autopilotd install`
    )
  }
  return node.platform === "linux"
    ? fine(about, `${node.version}, ${node.path}`)
    : error(
        about,
        `autopilotd needs Linux and its /proc; this is ${node.platform}.`,
        "Run it on Linux, or in a Linux virtual machine"
      )
}
