import { printable } from "../text/Printable.ts"
import { type Judged, worseFirst } from "../worker/Outcome.ts"
import { isFinished, reason, statusWord } from "../worker/WorkerState.ts"
import { workerSentence } from "./WorkerSentence.ts"

/** Kubernetes cuts a longer termination message: https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ */
const mostBytes = 4096

const utf8 = new TextEncoder()

/** The beginning of a text, in at most `mostBytes` bytes of UTF-8: a cut falls between two characters, and shows as `...`. */
export const fitting = (text: string): string => {
  if (utf8.encode(text).length <= mostBytes) return text
  const bytes = new Uint8Array(mostBytes - 4)
  const { read } = utf8.encodeInto(text, bytes)
  return `${text.slice(0, read)}...\n`
}

const sentenceOf = ({ plan, state }: Judged): string => {
  const because = reason(state)
  const last = state.lastExit
  const sentence = workerSentence(
    {
      worker_status: statusWord(state),
      worker_pid: null,
      ...(because === undefined ? {} : { reason: because }),
      ...(isFinished(state) && { finished: true as const })
    },
    0
  )
  const before = last === undefined || because?.includes(last) === true ? "" : `; its last run: ${last}`
  return `The worker of ${printable(plan.project)} ${printable(`${sentence}${before}`)}`
}

/**
 * The text of the termination log: how the daemon ended, where it has, and what each worker has come to, the worst first,
 * because a text of more than 4096 bytes is cut. Secrets are masked where a worker's words are read.
 */
export const terminationText = (workers: ReadonlyArray<Judged>, head?: string): string =>
  fitting(
    [
      ...(head === undefined ? [] : [printable(head)]),
      ...workers.toSorted(worseFirst).map((worker) => `${sentenceOf(worker)}.`)
    ]
      .map((line) => `${line}\n`)
      .join("")
  )
