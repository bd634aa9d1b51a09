import { type LogFilter, matchesFilter, stampOf } from "../../Domain/logs/LogFilter.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { makeLogReader } from "./LogReader.ts"
import { logStart } from "./LogStart.ts"
import { withinLimit } from "./SearchLimit.ts"

/** A log: of a project's worker, or the daemon's own. */
export interface LogSource {
  /** Undefined for the daemon. */
  readonly project: ProjectName | undefined
  readonly path: string
}

/** Lines that follow each other in one log. */
export interface LogLines {
  readonly project: ProjectName | undefined
  readonly lines: ReadonlyArray<string>
}

interface MergedQuery extends LogFilter {
  readonly last: number | undefined
  readonly follow: boolean
}

const pollIntervalMs = 150

/** A new project is looked for in every so many polls. */
const pollsPerLook = 7

/** Sorts before every stamp: lines in front of the first one come first. */
const beforeAllStamps = ""

/** One log whose next lines are known, each with the time of the last stamp. */
const openSource = ({ path, project }: LogSource, query: MergedQuery) => {
  const reader = makeLogReader(path)
  let lines: ReadonlyArray<string> = []
  let at = 0
  let stamp = beforeAllStamps
  let isAtEnd = false

  const wanted = (some: ReadonlyArray<string>): ReadonlyArray<string> => {
    if (query.isWanted === undefined) return some.filter((line) => matchesFilter(query, line))
    let found: ReadonlyArray<string> = []
    withinLimit(() => {
      found = some.filter((line) => matchesFilter(query, line))
    })
    return found
  }

  const take = (some: ReadonlyArray<string>) => {
    lines = wanted(some)
    at = 0
    stamp = stampOf(lines[0] ?? "") ?? stamp
  }

  return {
    path,
    close: () => reader.close().catch(() => undefined),
    /** Begins at the last lines that match, or at the beginning of a log that has come later. */
    begin: async (last: number | undefined) => reader.startAt(await logStart(path, { ...query, last })),
    /** Reads until a wanted line is there, or the end. */
    fill: async () => {
      while (at === lines.length && !isAtEnd) {
        const some = await reader.next()
        if (some !== undefined) take(some)
        else {
          isAtEnd = true
          if (!query.follow) take(reader.lastPiece())
        }
      }
    },
    /** Looks for new lines again. */
    wake: () => {
      isAtEnd = false
    },
    /** The time of the next line; undefined without one. */
    stamp: () => (at === lines.length ? undefined : stamp),
    /** Returns the next lines that are not younger than `limit`, at least one. */
    takeUntil: (limit: string | undefined): LogLines => {
      const from = at
      if (limit === undefined) at = lines.length
      else
        do {
          at++
          stamp = stampOf(lines[at] ?? "") ?? stamp
        } while (at < lines.length && stamp <= limit)
      return { project, lines: from === 0 && at === lines.length ? lines : lines.slice(from, at) }
    }
  }
}

type Source = ReturnType<typeof openSource>

/** The last lines of a story that is read to its end. */
const lastOf = (limit: number) => {
  let kept: Array<LogLines> = []
  let count = 0
  return {
    add: (some: LogLines) => {
      kept.push(some)
      count += some.lines.length
      let spare = 0
      while (count - (kept[spare]?.lines.length ?? 0) >= limit && spare < kept.length) {
        count -= kept[spare]?.lines.length ?? 0
        spare++
      }
      if (spare > 0) kept = kept.slice(spare)
    },
    lines: (): ReadonlyArray<LogLines> => {
      const surplus = Math.max(0, count - limit)
      const [first, ...others] = kept
      return first === undefined ? [] : [{ ...first, lines: first.lines.slice(surplus) }, ...others]
    }
  }
}

/**
 * Reads several logs as one, by the time of their lines. A line without a stamp stays behind the line before it. A follower
 * looks at all of them at once, so that what comes between two looks is in order as well.
 */
export const mergedLogs = (sourcesNow: () => Promise<ReadonlyArray<LogSource>>, query: MergedQuery) => {
  let sources: ReadonlyArray<Source> = []
  let polls = 0
  // Node loads nine modules for this clock, which only a follower reads.
  let polledMs = query.follow ? performance.now() : 0
  let isBegun = false
  let isOver = false

  const look = async () => {
    const known = new Set(sources.map(({ path }) => path))
    const added = (await sourcesNow()).filter(({ path }) => !known.has(path))
    for (const each of added) {
      const source = openSource(each, query)
      sources = [...sources, source]
      if (!isBegun) await source.begin(query.last)
    }
  }

  /** Returns the oldest next lines; undefined at the end of all logs. */
  const nextLines = async (): Promise<LogLines | undefined> => {
    for (const source of sources) await source.fill()
    let first: Source | undefined
    let second: string | undefined
    for (const source of sources) {
      const stamp = source.stamp()
      if (stamp === undefined) continue
      const best = first?.stamp()
      if (best === undefined || stamp < best) {
        second = best
        first = source
      } else if (second === undefined || stamp < second) second = stamp
    }
    return first?.takeUntil(second)
  }

  const begin = async (): Promise<ReadonlyArray<LogLines>> => {
    await look()
    isBegun = true
    // Each log has begun at its own last lines: of all together these are too many.
    if (query.last === undefined || sources.length < 2) return []
    const tail = lastOf(query.last)
    for (let some = await nextLines(); some !== undefined; some = await nextLines()) tail.add(some)
    return tail.lines()
  }

  const poll = async () => {
    if (++polls % pollsPerLook === 0) await look()
    for (const source of sources) source.wake()
    polledMs = performance.now()
  }

  return {
    close: async () => {
      for (const source of sources) await source.close()
    },
    /** Returns the next lines, perhaps none; undefined when there are no more. */
    next: async (): Promise<ReadonlyArray<LogLines> | undefined> => {
      if (isOver) return undefined
      if (!isBegun) return begin()
      const some = await nextLines()
      if (query.follow) {
        if (some === undefined) await new Promise((resolve) => setTimeout(resolve, pollIntervalMs))
        // Also in a flood of one log, which may have no end.
        if (some === undefined || performance.now() - polledMs > pollIntervalMs) await poll()
        return some === undefined ? [] : [some]
      }
      isOver = some === undefined
      return some && [some]
    }
  }
}
