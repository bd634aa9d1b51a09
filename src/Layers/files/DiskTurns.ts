import type { Timer } from "../concurrency/Timer.ts"

/** A disk that does not answer within this time counts as silent: nothing of the daemon may wait for it for ever. */
export const answerLimitMs = 10_000

/** A question about a path has no answer: the disk hangs, as a network disk does when its server is gone. */
export class SilentDisk extends Error {
  readonly _tag = "SilentDisk"
  /** The path that the disk was asked about. A later question of the same asker fails with it, too. */
  readonly path: string

  constructor(path: string) {
    super(
      `the disk of ${path} did not answer within ${answerLimitMs / 1000}s. Check that disk, or unmount it`
    )
    this.path = path
  }
}

/** An asker has at most one question outstanding, and then the path that it is about. */
interface Asker {
  path: (() => string) | undefined
  isOverdue: boolean
}

interface Question {
  readonly asker: Asker
  readonly path: () => string
  readonly begin: (end: () => void) => void
}

/** A call that hangs keeps its thread of libuv, which has four unless the launcher says more. A quarter stays free. */
const threads = Number(process.env["UV_THREADPOOL_SIZE"]) || 4
let free = Math.max(1, threads - Math.ceil(threads / 4))

const askers = new Map<string, Asker>()

/** The questions that wait for a thread, or for the one before of their asker, in order. */
const waiting: Array<Question> = []

const askerOf = (name: string): Asker => {
  const known = askers.get(name)
  if (known !== undefined) return known
  const asker: Asker = { path: undefined, isOverdue: false }
  askers.set(name, asker)
  return asker
}

/** The path of a question that all the others wait for. */
const overduePath = (): string | undefined =>
  [...askers.values()].find(({ isOverdue }) => isOverdue)?.path?.()

/** Begins the questions that need not wait. */
const beginNext = (): void => {
  while (free > 0) {
    const at = waiting.findIndex(({ asker }) => asker.path === undefined)
    const [question] = at === -1 ? [] : waiting.splice(at, 1)
    if (question === undefined) return
    const { asker, begin, path } = question
    free--
    asker.path = path
    // A call that hangs cannot be taken back: the turn ends with its answer.
    begin(() => {
      free++
      asker.path = undefined
      asker.isOverdue = false
      beginNext()
    })
  }
}

/** A question to a disk. */
export interface DiskQuestion<A> {
  /** The name of the asker. */
  readonly asker: string
  readonly path: () => string
  /** Starts calls in libuv's threads. */
  readonly begin: (answer: (answer: A) => void) => void
}

/** The end of a question. `Broken` is a bug of the question itself. */
export type Asked<A> =
  | { readonly _tag: "Answered"; readonly answer: A }
  | { readonly _tag: "Silent"; readonly silent: SilentDisk }
  | { readonly _tag: "Broken"; readonly defect: unknown }

/**
 * Asks the disk about a path. An asker has one question outstanding: while the disk is silent, its further questions fail at
 * once and take no more threads. Returns the function that stops the wait for the answer.
 */
export const ask = <A>(
  timer: Timer,
  { asker: name, begin, path }: DiskQuestion<A>,
  done: (asked: Asked<A>) => void
): (() => void) => {
  const asker = askerOf(name)
  if (asker.isOverdue) {
    done({ _tag: "Silent", silent: new SilentDisk((asker.path ?? path)()) })
    return () => undefined
  }
  const question: Question = {
    asker,
    path,
    begin: (end) => {
      const finish = (asked: Asked<A>) => {
        cancel()
        end()
        done(asked)
      }
      try {
        begin((answer) => finish({ _tag: "Answered", answer }))
      } catch (defect) {
        // Node throws for a path with a NUL character, and the turn would never end.
        finish({ _tag: "Broken", defect })
      }
    }
  }
  const drop = () => {
    const at = waiting.indexOf(question)
    if (at !== -1) waiting.splice(at, 1)
  }
  const cancel = timer.after(answerLimitMs, () => {
    asker.isOverdue = asker.path !== undefined
    drop()
    done({ _tag: "Silent", silent: new SilentDisk(asker.path?.() ?? overduePath() ?? path()) })
  })
  waiting.push(question)
  beginNext()
  return () => {
    cancel()
    drop()
  }
}

/** The same in a promise, which rejects only for a bug. */
export const answerOf = <A>(timer: Timer, question: DiskQuestion<A>): Promise<A | SilentDisk> =>
  new Promise((resolve, reject) => {
    ask(timer, question, (asked) => {
      if (asked._tag === "Broken") reject(asked.defect)
      else resolve(asked._tag === "Silent" ? asked.silent : asked.answer)
    })
  })
