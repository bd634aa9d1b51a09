import type { HistoryRecord, RecordOf } from "./HistoryRecord.ts"

/** One run of the daemon, by its records. */
export interface DaemonRun {
  readonly daemon: string
  /** Undefined where the history no longer holds its start. */
  readonly started: RecordOf<"DaemonStarted"> | undefined
  /** Undefined without a request to stop. */
  readonly stopping: RecordOf<"DaemonStopping"> | undefined
  /** Undefined while it runs, and after a crash or kill. */
  readonly stopped: RecordOf<"DaemonStopped"> | undefined
  /** At least one, the oldest first. */
  readonly records: ReadonlyArray<HistoryRecord>
  /** The time of its last record, in milliseconds since 1970. */
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
