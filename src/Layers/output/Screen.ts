import * as fs from "node:fs"
import type * as Terminal from "@effect/platform/Terminal"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Ansi from "@effect/printer-ansi/Ansi"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"

/** There is no terminal that a whole screen could be drawn on. */
export class NoScreen extends Data.TaggedError("NoScreen")<{}> {
  override get message() {
    return "top draws on a terminal, and standard input or output is none, or TERM is dumb. Use instead: autopilotd projects, or autopilotd events -f"
  }
}

/** The screen of a terminal, until the scope closes. */
export interface Screen {
  readonly size: () => { readonly columns: number; readonly rows: number }
  readonly keys: Mailbox.ReadonlyMailbox<Terminal.UserInput>
  /** Calls plain code after the size has changed. */
  readonly onResize: (changed: () => void) => Effect.Effect<void, never, Scope.Scope>
  /** Shows these lines from the top on. Writes only those that have changed, in one write. */
  readonly show: (lines: ReadonlyArray<string>) => void
}

/** The alternate screen, and lines that end at the right edge: modes of every terminal since xterm, tmux included. */
const enter = `\u001b[?1049h\u001b[?7l${Ansi.stringify(Ansi.combine(Ansi.cursorHide, Ansi.eraseScreen))}`
/** Erased first: after a resize tmux 3.3 keeps lines of the alternate screen in its history. */
const leave = `${Ansi.stringify(Ansi.combine(Ansi.eraseScreen, Ansi.cursorShow))}\u001b[?7h\u001b[?1049l`

/** Terminals that know it show what is between at once (https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036). */
const [beginUpdate, endUpdate] = ["\u001b[?2026h", "\u001b[?2026l"]

const lineStart = (row: number): string => Ansi.stringify(Ansi.cursorTo(0, row))
const eraseRest = Ansi.stringify(Ansi.eraseEndLine)

const ignore = () => undefined

/** Gives the terminal back, also in an exit that closes no scope. It must be synchronous there. */
const giveBack = () => {
  try {
    fs.writeSync(1, leave)
  } catch {
    // The terminal is gone.
  }
}

/** Takes the terminal over. */
export const makeScreen: Effect.Effect<Screen, NoScreen, Scope.Scope> = Effect.gen(function* () {
  const { stdin, stdout } = process
  if (!stdin.isTTY || !stdout.isTTY || process.env["TERM"] === "dumb") return yield* new NoScreen()
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      process.once("exit", giveBack)
      stdout.write(enter)
    }),
    () =>
      Effect.sync(() => {
        process.off("exit", giveBack)
        giveBack()
      })
  )
  // Its scope ends before the screen is left: the keys that are typed then belong to the shell. Ctrl-C is a key here.
  const terminal = yield* NodeTerminal.make(() => false)
  const keys = yield* terminal.readInput
  // A terminal that is closed: the program ends by its SIGHUP.
  yield* Effect.acquireRelease(
    Effect.sync(() => stdout.on("error", ignore)),
    () => Effect.sync(() => stdout.off("error", ignore))
  )
  let shown: ReadonlyArray<string> = []
  return {
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    keys,
    onResize: (changed) => {
      const resized = () => {
        // Terminals move their lines at a resize.
        shown = []
        changed()
      }
      return Effect.acquireRelease(
        Effect.sync(() => void stdout.on("resize", resized)),
        () => Effect.sync(() => void stdout.off("resize", resized))
      )
    },
    show: (lines) => {
      const changed = lines.flatMap((line, row) =>
        line === shown[row] ? [] : [`${lineStart(row)}${eraseRest}${line}`]
      )
      // A terminal that does not take the last frame gets the next one later, not both.
      if (changed.length === 0 || stdout.writableNeedDrain) return
      const clear = shown.length === 0 ? Ansi.stringify(Ansi.eraseScreen) : ""
      shown = lines
      // The cursor rests at the top: a terminal that becomes lower keeps the lines around it, and scrolls no others away.
      stdout.write(`${beginUpdate}${clear}${changed.join("")}${lineStart(0)}${endUpdate}`)
    }
  }
})
