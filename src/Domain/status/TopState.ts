import type { ProjectRow } from "./ProjectsData.ts"
import type { StatusReply } from "./StatusData.ts"

/** What a user may do to a worker in `autopilotd top`. */
export type TopCommand = "start" | "stop" | "restart"

/** The state of `autopilotd top`. */
export interface TopState {
  readonly columns: number
  readonly height: number
  readonly rows: ReadonlyArray<ProjectRow>
  readonly status: StatusReply | undefined
  /** The last line that each worker has printed. */
  readonly lastLines: ReadonlyMap<string, string>
  /** The project that the keys act on; undefined before the first answer. */
  readonly selected: string | undefined
  /** The last lines of the selected project are shown instead of the table. */
  readonly log: ReadonlyArray<string> | undefined
  /** A command that waits for a yes. */
  readonly asked: { readonly command: TopCommand; readonly project: string } | undefined
  /** The answer to the last command, or why the daemon does not answer. */
  readonly note: string | undefined
  readonly isLost: boolean
}

export type TopEvent =
  | {
      readonly _tag: "Seen"
      readonly status: StatusReply
      readonly rows: ReadonlyArray<ProjectRow>
      readonly lastLines: ReadonlyMap<string, string>
      /** The log of the selected project, where it is shown. */
      readonly log: ReadonlyArray<string> | undefined
    }
  | { readonly _tag: "LogSeen"; readonly project: string; readonly log: ReadonlyArray<string> }
  | { readonly _tag: "Lost"; readonly why: string }
  | { readonly _tag: "Told"; readonly text: string }
  | { readonly _tag: "Resized"; readonly columns: number; readonly height: number }
  | { readonly _tag: "Key"; readonly name: string }

/** What follows a key. `Look` reads everything again, the log at once. */
export type TopAction =
  | { readonly _tag: "Quit" }
  | { readonly _tag: "Look" }
  | { readonly _tag: "Command"; readonly command: TopCommand; readonly project: string }

export const topState = (columns: number, height: number): TopState => ({
  columns,
  height,
  rows: [],
  status: undefined,
  lastLines: new Map(),
  selected: undefined,
  log: undefined,
  asked: undefined,
  note: undefined,
  isLost: false
})

type Stepped = readonly [TopState, TopAction | undefined]

const commandKeys: Readonly<Record<string, TopCommand>> = { r: "restart", s: "stop", g: "start" }

/** How far a key moves the selection. */
const moves: Readonly<Record<string, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -10,
  pagedown: 10,
  home: Number.NEGATIVE_INFINITY,
  end: Number.POSITIVE_INFINITY
}

const moved = (state: TopState, by: number): TopState => {
  const at = state.rows.findIndex(({ name }) => name === state.selected)
  const to = Math.max(0, Math.min(state.rows.length - 1, Math.max(0, at) + by))
  return { ...state, selected: state.rows[to]?.name ?? state.selected }
}

const onKey = (state: TopState, key: string): Stepped => {
  if (key === "ctrl-c" || key === "ctrl-d") return [state, { _tag: "Quit" }]
  const { asked, selected } = state
  if (asked !== undefined) {
    const left = { ...state, asked: undefined, note: undefined }
    return key === "y" ? [left, { _tag: "Command", ...asked }] : [left, undefined]
  }
  const quiet = { ...state, note: state.isLost ? state.note : undefined }
  if (state.log !== undefined && ["q", "l", "escape", "return", "left"].includes(key))
    return [{ ...quiet, log: undefined }, undefined]
  if (key === "q") return [state, { _tag: "Quit" }]
  const by = Object.hasOwn(moves, key) ? moves[key] : undefined
  if (by !== undefined)
    return state.log === undefined
      ? [moved(quiet, by), undefined]
      : [{ ...moved(quiet, by), log: [] }, { _tag: "Look" }]
  if (selected === undefined) return [quiet, undefined]
  if (key === "l" || key === "return") return [{ ...quiet, log: [] }, { _tag: "Look" }]
  const command = Object.hasOwn(commandKeys, key) ? commandKeys[key] : undefined
  if (command === undefined) return [quiet, undefined]
  // A start ends nothing, so that nobody is asked.
  return command === "start"
    ? [quiet, { _tag: "Command", command, project: selected }]
    : [{ ...quiet, asked: { command, project: selected } }, undefined]
}

/** The next state of `autopilotd top`, and what follows. */
export const topStep = (state: TopState, event: TopEvent): Stepped => {
  switch (event._tag) {
    case "Seen": {
      const { lastLines, log, rows, status } = event
      const isKnown = rows.some(({ name }) => name === state.selected)
      const next = {
        ...state,
        rows,
        status,
        lastLines,
        isLost: false,
        note: state.isLost ? undefined : state.note,
        selected: isKnown ? state.selected : (rows.find((row) => row.selected) ?? rows[0])?.name
      }
      return [state.log === undefined || log === undefined ? next : { ...next, log }, undefined]
    }
    case "LogSeen":
      // The log of a project that is no longer shown comes too late.
      return state.log === undefined || event.project !== state.selected
        ? [state, undefined]
        : [{ ...state, log: event.log }, undefined]
    case "Lost":
      return [{ ...state, isLost: true, note: event.why }, undefined]
    case "Told":
      return [{ ...state, note: event.text }, { _tag: "Look" }]
    case "Resized":
      return [{ ...state, columns: event.columns, height: event.height }, undefined]
    case "Key":
      return onKey(state, event.name)
  }
}
