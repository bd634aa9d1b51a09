import * as Effect from "effect/Effect"
import { eventually, isAlive, killForSure, type TestDaemon } from "../TestDaemon.ts"

/** The text of a daemon.toml with these keys in `[restart]`. */
export const settings = (restart: Readonly<Record<string, number | string>>) =>
  `[restart]\n${Object.entries(restart)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join("")}`

/** So long that only KILL, or a second request, ends what ignores TERM within a test. */
export const longGrace = settings({ stop_grace_ms: 600_000 })
/** Soon over, so that what ignores TERM is killed. */
export const shortGrace = settings({ stop_grace_ms: 300 })

/** A crash is followed by a long wait, so that what it left can be looked at. */
export const longBackoff = settings({ initial_backoff_ms: 300_000, stop_grace_ms: 300 })

/** The processes that a worker has told by name: `process NAME PID`. */
const toldProcesses = (stdout: string): ReadonlyMap<string, number> =>
  new Map([...stdout.matchAll(/process (\S+) ([0-9]+)$/gm)].map(([, name, pid]) => [name ?? "", Number(pid)]))

/** The processes of the tree that has come up last, once `count` have; killed at the end, should any be left. */
export const treeUp = (daemon: TestDaemon, count: number, names: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    eventually(`tree ${count} is up`, () => {
      const trees = daemon.stdout().split(/^.*tree is up\n/m)
      const told = toldProcesses(trees.slice(count - 1).join(""))
      return trees.length > count && names.every((name) => told.has(name)) ? told : undefined
    }),
    (tree) => Effect.sync(() => alive(tree.values()).forEach(killForSure))
  )

/** Those that live. */
export const alive = (pids: Iterable<number>): ReadonlyArray<number> => [...pids].filter(isAlive)

/** What grows-a-tree.sh tells. */
export const treeNames = ["leader", "same-group", "own-session", "double-fork", "own-group", "no-environment"]
/** What exits-before-children.sh leaves behind. */
export const orphanNames = ["same-group", "deaf", "double-fork", "no-environment"]
