import * as fs from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { ReplyTo } from "../../src/Domain/control/ControlProtocol.ts"
import { launcherText } from "../../src/Domain/service/Launcher.ts"
import { command, eventually } from "../live/TestDaemon.ts"
import { request } from "../live/worker/SeveralProjects.ts"
import { fixture, type Machine, node, project } from "./Machine.ts"

/** The command line of a person on a machine. */
export const autopilotd = "~/.autopilot/bin/autopilotd"

/** Settings in which this is the one worker. */
export const workerIs = (...argv: ReadonlyArray<string>): string =>
  `worker_command = { type = "Command", argv = ${JSON.stringify(argv)} }\n`

export type StatusData = NonNullable<ReplyTo<"Status">["data"]>

/** The name of a worker's own cgroup, below that of the unit. */
export const groupOfWorker = ({ worker_id = "", project = "default" }: StatusData): string =>
  `worker.${project}.${worker_id.split(":").at(-1)?.slice(0, 8)}`

const sleeps = workerIs(fixture("sleeps.sh"))

export interface ServiceOptions {
  /** The text of daemon.toml; by default a worker that works until it is told to end. */
  readonly settings?: string
  /** More lines for the `[Service]` section of the unit. */
  readonly dropIn?: string
  /** The text of the env file. */
  readonly envFile?: string
}

/** Like `[Service]` lines: what a person waits for, a test need not. */
export const soonRestarted = "RestartSec=100ms"

/** A line of the journal. */
export interface JournalLine {
  readonly text: string
  /** As syslog counts: 3 is an error, 4 a warning, 6 information. */
  readonly priority: number
  readonly pid: number
  /** The program it is of, as `systemd` itself. */
  readonly identifier: string
}

const journalLine = (json: string): JournalLine => {
  const { MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, _PID }: Record<string, unknown> = JSON.parse(json)
  return {
    text: typeof MESSAGE === "string" ? MESSAGE : "",
    priority: Number(PRIORITY),
    pid: Number(_PID),
    identifier: String(SYSLOG_IDENTIFIER)
  }
}

/** What autopilotd.service is on a machine, and how it is asked there. */
export interface Service {
  readonly machine: Machine
  /** Its home, as seen from here. */
  readonly home: string
  /** Properties of the unit, in this order. */
  readonly show: (...properties: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>>
  /** A property, once it is as wanted. */
  readonly shows: (property: string, isWanted: RegExp) => Effect.Effect<string>
  /** What the daemon says of its worker, once it is as wanted. */
  readonly status: (what: string, isWanted: (data: StatusData) => boolean) => Effect.Effect<StatusData>
  /** The same, once the worker runs. */
  readonly running: Effect.Effect<StatusData>
  /** The lines of the unit in the user's journal; with more options of journalctl. */
  readonly journal: (options?: string) => Effect.Effect<ReadonlyArray<JournalLine>>
  /** Such a line, once it is there. */
  readonly journalHas: (pattern: RegExp, options?: string) => Effect.Effect<JournalLine>
  /** Carries out a command that only asks the daemon; returns what it says. */
  readonly tell: (line: string) => Effect.Effect<string>
  /** The pids in the unit's cgroup, groups below it included; none when it is gone. */
  readonly members: Effect.Effect<ReadonlyArray<number>>
  /** The groups below the unit's, by name. */
  readonly groups: Effect.Effect<ReadonlyArray<string>>
  /** Whether a process lives, by its pid there. */
  readonly isAlive: (pid: number | null) => boolean
}

const pidsIn = (folder: string): ReadonlyArray<number> => {
  try {
    const here = fs
      .readFileSync(join(folder, "cgroup.procs"), "latin1")
      .split("\n")
      .filter(Boolean)
      .map(Number)
    const below = fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => pidsIn(join(folder, name)))
    return [...here, ...below]
  } catch {
    return [] // It was removed meanwhile.
  }
}

/** Where the unit's group is: the same as long as the machine lives, also when it is not there. */
const controlGroup = "/user.slice/user-1500.slice/user@1500.service/app.slice/autopilotd.service"

/** Properties of a unit, in this order. */
export const shown = (machine: Machine, unit: string, ...properties: ReadonlyArray<string>) =>
  Effect.map(
    machine.sh(`systemctl --user show ${unit} ${properties.map((name) => `-p ${name}`).join(" ")}`),
    (text) => {
      const found = new Map(
        text.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
      )
      return properties.map((name) => found.get(name) ?? "")
    }
  )

export const serviceOn = (machine: Machine): Service => {
  const home = machine.outside(".autopilot")
  const folder = machine.cgroup(controlGroup)
  const show = (...properties: ReadonlyArray<string>) => shown(machine, "autopilotd", ...properties)
  const status: Service["status"] = (what, isWanted) =>
    eventually(
      what,
      Effect.map(request(home, { type: "Status" }), ({ data }) =>
        data != null && isWanted(data) ? data : undefined
      )
    )
  const journal = (options = "") =>
    Effect.map(machine.sh(`journalctl --user -u autopilotd -o json -q ${options}`), (text) =>
      text.split("\n").filter(Boolean).map(journalLine)
    )
  return {
    machine,
    home,
    show,
    shows: (property, isWanted) =>
      eventually(
        `${property} is ${isWanted}`,
        Effect.map(show(property), ([value = ""]) => (isWanted.test(value) ? value : undefined))
      ),
    status,
    // Where its processes are is known a moment after its start.
    running: status(
      "the worker runs",
      (data) => data.worker_status === "running" && data.containment !== undefined
    ),
    journal,
    journalHas: (pattern, options) =>
      eventually(
        `${pattern} in the journal`,
        Effect.map(journal(options), (lines) => lines.find(({ text }) => pattern.test(text)))
      ),
    tell: (line) =>
      Effect.flatMap(command({ home, args: line.split(" ") }), ({ code, stderr, stdout }) =>
        code === 0
          ? Effect.succeed(stdout.replace(/\n$/, ""))
          : Effect.dieMessage(`"${line}" ended with ${code} and said: ${stderr}`)
      ),
    members: Effect.sync(() => pidsIn(folder)),
    groups: Effect.sync(() =>
      fs.existsSync(folder)
        ? fs
            .readdirSync(folder, { withFileTypes: true })
            .filter((entry) => entry.isDirectory())
            .map(({ name }) => name)
        : []
    ),
    isAlive: (pid) => {
      try {
        return !/\) [ZX] /.test(fs.readFileSync(machine.outside(`/proc/${pid}/stat`), "latin1"))
      } catch {
        return false
      }
    }
  }
}

const give = (machine: Machine, options: ServiceOptions): void => {
  machine.write(".autopilot/daemon.toml", options.settings ?? sleeps)
  fs.chmodSync(machine.outside(".autopilot"), 0o700)
  if (options.envFile !== undefined) machine.write(".autopilot/env", options.envFile, 0o600)
  if (options.dropIn !== undefined) {
    machine.write(".config/systemd/user/autopilotd.service.d/test.conf", `[Service]\n${options.dropIn}\n`)
  }
}

/** The settings and the launcher, and no unit. */
export const prepare = (machine: Machine, options: ServiceOptions = {}): void => {
  give(machine, options)
  const bundle = join(project, "dist/autopilotd.js")
  machine.write(".autopilot/bin/autopilotd", launcherText({ node, bundle, path: [], home: undefined }), 0o755)
}

/** The unit in the place where systemd looks for it, with settings that `install` would refuse; not started. */
export const placed = Effect.fnUntraced(function* (machine: Machine, options: ServiceOptions = {}) {
  prepare(machine, options)
  machine.write(
    ".config/systemd/user/autopilotd.service",
    fs.readFileSync(machine.outside(join(project, "systemd/autopilotd.service")), "utf8")
  )
  yield* machine.sh("systemctl --user daemon-reload")
  return serviceOn(machine)
})

/** As a person makes it: settings, and `autopilotd install`, which starts it. */
export const started = Effect.fnUntraced(function* (machine: Machine, options: ServiceOptions = {}) {
  give(machine, options)
  const service = serviceOn(machine)
  const { code, stderr } = yield* machine.run(`${project}/bin/autopilotd install`)
  if (code !== 0) {
    const journal = yield* service.journal()
    return yield* Effect.dieMessage(`${stderr}\n${journal.map(({ text }) => text).join("\n")}`)
  }
  return service
})
