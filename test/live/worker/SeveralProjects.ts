import * as fs from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { ControlQuestion, ReplyTo } from "../../../src/Domain/control/ControlProtocol.ts"
import { decodeReply } from "../../../src/Domain/control/ControlReply.ts"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import { command, eventually, exchange, NoAnswer, processesWith } from "../TestDaemon.ts"

/** The text of a `[projects.NAME]` that runs a command, with more lines of settings. */
export const project = (name: string, argv: ReadonlyArray<string>, ...lines: ReadonlyArray<string>): string =>
  [
    `[projects.${name}]`,
    `worker_command = { type = "Command", argv = ${JSON.stringify(argv)} }`,
    ...lines,
    ""
  ].join("\n")

/** A request as it stands on the wire. */
type Asked<T extends ControlQuestion["type"]> = Extract<typeof ControlQuestion.Encoded, { readonly type: T }>

/** One request, and its answer as the command line reads it. */
export const request = <T extends ControlQuestion["type"]>(
  home: string,
  asked: Asked<T> & { readonly type: T }
): Effect.Effect<ReplyTo<T>, NoAnswer> =>
  Effect.flatMap(exchange(home, asked), (text) =>
    Effect.mapError(decodeReply(asked.type, text), (cause) => new NoAnswer({ cause: `${cause}: ${text}` }))
  )

/** What the daemon tells of its projects, in its order. */
export const rows = (home: string): Effect.Effect<ReadonlyArray<ProjectRow>, NoAnswer> =>
  Effect.map(request(home, { type: "Projects" }), ({ data }) => data?.projects ?? [])

/**
 * What a command says, about a project where one is named, with single blanks because a terminal's columns wrap its words. It is asked again
 * while the daemon is too busy to answer.
 */
export const saidOf = (
  home: string,
  name: string | undefined,
  ...args: ReadonlyArray<string>
): Effect.Effect<string> =>
  eventually(
    `${name}: ${args.join(" ")} is answered`,
    Effect.map(
      command({ home, args: name === undefined ? args : [...args, "--project", name] }),
      ({ stderr, stdout }) =>
        / within \d+ ms/.test(stderr) ? undefined : (stdout + stderr).replace(/\s+/g, " ").trim()
    )
  )

/** The row of a project, once it is as wanted. */
export const rowOf = (
  home: string,
  name: string,
  what: string,
  isWanted: (row: ProjectRow) => boolean
): Effect.Effect<ProjectRow> =>
  eventually(
    `${name} ${what}`,
    Effect.map(rows(home), (all) => all.find((row) => row.name === name && isWanted(row)))
  )

/** The row of a project, once its worker is in a state. */
export const inState = (home: string, name: string, state: ProjectRow["worker_status"]) =>
  rowOf(home, name, `is ${state}`, ({ worker_status }) => worker_status === state)

/** The pid of a project's worker, once it runs. */
export const pidOf = (home: string, name: string): Effect.Effect<number> =>
  Effect.map(inState(home, name, "running"), ({ worker_pid }) => worker_pid ?? 0)

/** The pids of several projects' workers, once all run. */
export const pidsOf = (home: string, ...names: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<number>> =>
  Effect.forEach(names, (name) => pidOf(home, name))

/** The living processes that a project's workers have started, wherever they have gone. */
export const processesOf = (home: string, name: string): ReadonlyArray<number> =>
  processesWith(`AUTOPILOT_WORKER_ID=${fs.readFileSync(join(home, "id"), "utf8").trim()}:${name}:`)

/** What the worker of a project has written so far. */
export const workerLog = (home: string, name: string): string =>
  fs.readFileSync(join(home, "logs", name, "worker.log"), "utf8")
