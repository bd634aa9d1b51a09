import * as vm from "node:vm"

/** A pattern takes exponential time on some line: `(a+)+$`. */
export class SearchTooLong extends Error {
  readonly _tag = "SearchTooLong"

  constructor() {
    super(
      "The pattern of --grep takes too long on one of the lines. Write it without a repetition inside a repetition, " +
        "such as (a+)+, or search for a plain text."
    )
  }
}

/** A block of a log takes milliseconds. A second try is for a process that was suspended in the middle of the first. */
const limitMs = 2000
const tries = 2

/** A context takes longer to make than the last lines to read, so only a search makes one. */
const makeRealm = () => {
  const context: { search: () => unknown } = { search: () => undefined }
  return { context, realm: vm.createContext(context), script: new vm.Script("search()") }
}

let made: ReturnType<typeof makeRealm> | undefined

/** The error may be of the other realm, so `instanceof` does not know it. */
const isTimeout = (cause: unknown): boolean =>
  typeof cause === "object" &&
  cause !== null &&
  "code" in cause &&
  cause.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"

/** Runs a search of one block. Throws SearchTooLong, which V8's watchdog makes possible inside a regular expression. */
export const withinLimit = (search: () => void): void => {
  const { context, realm, script } = (made ??= makeRealm())
  for (let left = tries; ; left--) {
    context.search = search
    try {
      script.runInContext(realm, { timeout: limitMs })
      return
    } catch (cause) {
      if (!isTimeout(cause)) throw cause
      if (left === 1) throw new SearchTooLong()
    }
  }
}
