import type { HistoryRecord, RecordOf } from "./HistoryRecord.ts"

/** One run of the daemon as its records tell of it. */
export interface DaemonRun {
  /** The id in its records. */
  readonly daemon: string
  /** Undefined where its beginning is no longer in the history. */
  readonly started: RecordOf<"DaemonStarted"> | undefined
  /** Who wanted it to end; undefined until somebody did. */
  readonly stopping: RecordOf<"DaemonStopping"> | undefined
  /** Its own last word. Without it, it runs, or it was gone from one moment to the next. */
  readonly stopped: RecordOf<"DaemonStopped"> | undefined
  /** All its records, the oldest first; at least one. */
  readonly records: ReadonlyArray<HistoryRecord>
  /** When it was last heard of, in milliseconds since 1970. */
  readonly lastMs: number
}

const last = <Tag extends HistoryRecord["_tag"]>(
  records: ReadonlyArray<HistoryRecord>,
  tag: Tag
): RecordOf<Tag> | undefined => records.findLast((record): record is RecordOf<Tag> => record._tag === tag)

const runOf = (daemon: string, records: ReadonlyArray<HistoryRecord>): DaemonRun => ({
  daemon,
  started: last(records, "DaemonStarted"),
  stopping: last(records, "DaemonStopping"),
  stopped: last(records, "DaemonStopped"),
  records,
  lastMs: records.at(-1)?.at ?? 0
})

/** The runs of the daemon, the oldest first. */
export const runsIn = (records: ReadonlyArray<HistoryRecord>): ReadonlyArray<DaemonRun> => {
  const runs = new Map<string, Array<HistoryRecord>>()
  for (const record of records) {
    const known = runs.get(record.daemon)
    if (known === undefined) runs.set(record.daemon, [record])
    else known.push(record)
  }
  return [...runs].map(([daemon, own]) => runOf(daemon, own))
}
