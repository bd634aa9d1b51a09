import * as Schema from "effect/Schema"
import { Finding } from "../doctor/Finding.ts"
import { HistoryRow } from "../history/HistoryData.ts"
import { LastAgentData } from "../status/AgentData.ts"
import { VerdictKind } from "../verdict/ExitVerdict.ts"
import { Count, field, Moment, moment, perhaps } from "../Wire.ts"
import { WorkerStatus } from "../worker/WorkerState.ts"

const texts = (description: string) => field(Schema.Array(Schema.String), description)
const text = (description: string) => field(Schema.String, description)

const FirstWorker = Schema.Struct({
  name: text("The name of the project"),
  worker_status: field(WorkerStatus, "The first state of the worker"),
  worker_pid: field(Schema.NullOr(Count), "Its process; null while none runs"),
  finished: perhaps(Schema.Literal(true), "Its work is finished already. Absent otherwise"),
  reason: perhaps(Schema.String, "The reason for this state, in one sentence")
})

const workers = field(Schema.Array(FirstWorker), "The worker of each project")

/** The data of `start --detach`. */
export const StartData = Schema.Struct({
  pid: field(Count, "The process of the daemon"),
  log: text("The log of the daemon"),
  service: perhaps(Schema.String, "The unit, where systemd has started it"),
  worker: perhaps(Schema.String, "What was done for a worker of the service that did not run"),
  workers
}).annotations({ description: "The daemon was started" })

/** The data of `run`. */
export const RunData = Schema.Struct({ project: text("The name of the project"), workers }).annotations({
  description: "Beside a running daemon"
})

/** The data of `wait`. */
export const WaitData = Schema.Union(
  Schema.Struct({
    project: field(Schema.NullOr(Schema.String), "The project; null from a daemon that names none"),
    outcome: field(Schema.Literal("finished", "failed", "stopped"), "How the work has ended"),
    exit_code: field(
      Schema.NullOr(Count),
      "The exit code of the last run; null for a signal, and before the first run"
    ),
    verdict: field(Schema.NullOr(VerdictKind), "Why the last run ended; null before the first one"),
    last_agent: perhaps(LastAgentData, "What is left of the last run of its agent")
  }),
  Schema.Struct({
    outcome: field(Schema.Literal("timeout"), "The worker has not finished its work after `--timeout`")
  })
)

const Explained = Schema.Struct({
  state: text("The word for the state of the worker, or `no daemon`"),
  explanation: texts("Sentences about the state, its cause and the restarts, the most important first"),
  events: field(Schema.Array(HistoryRow), "The events behind it, the oldest first, as `history` has them"),
  advice: texts("What a user can do: sentences")
})

/** The data of `why`. */
export const WhyData = Explained.annotations({ description: "Of one project" })

/** The data of `why --all`. */
export const WhyAllData = Schema.Struct({
  projects: field(
    Schema.Array(Schema.Struct({ project: text("The name of the project"), ...Explained.fields })),
    "Those that need a user first"
  )
}).annotations({ description: "With `--all`" })

export const DoctorData = Schema.Struct({
  findings: field(Schema.Array(Finding), "The results of all checks")
})

const channel = {
  name: text("The NAME of `[notify.to.NAME]`"),
  type: text("Its type, such as `desktop`")
}

export const NotifyTestData = Schema.Struct({
  channels: field(
    Schema.Array(
      Schema.Struct({
        ...channel,
        sent: field(Schema.Boolean, "The channel has taken the test"),
        reason: perhaps(Schema.String, "Why not; continues a sentence that begins with the channel")
      })
    ),
    "The channels to which the test was sent"
  )
})

export const NotifyListData = Schema.Struct({
  channels: field(
    Schema.Array(
      Schema.Struct({
        ...channel,
        last_success_ms: field(Schema.NullOr(Moment), "When it was last reached; null before the first time"),
        waiting: field(Count, "Notifications that wait to be sent"),
        lost: field(Count, "Notifications that were not sent since then"),
        failure: field(
          Schema.NullOr(
            Schema.Struct({
              since_ms: field(Moment, "The first failed attempt"),
              reason: text("Why the last one failed; continues a sentence that begins with the channel")
            })
          ),
          "The present trouble; null while it works"
        )
      })
    ),
    "The channels of the settings"
  )
})

export const InitData = Schema.Struct({
  path: text("The settings file"),
  project: text("The name of the project"),
  next: text("The command that comes next")
})

export const InstallData = Schema.Struct({
  units: texts("The unit files"),
  launcher: text("The launcher that the unit starts"),
  written: texts("The files that were written, because they were not current"),
  started: field(Schema.Boolean, "False when the service was running before"),
  pid: field(Count, "The process of the daemon"),
  needs_restart: field(Schema.Boolean, "The running daemon still uses the previous installation"),
  panel: perhaps(
    Schema.Struct({
      pid: field(Count, "The process of the panel"),
      link: text("The address of the panel, with its token")
    }),
    "The panel, where it is a service too"
  ),
  lingers: perhaps(Schema.Boolean, "The service outlives the logout. Absent where unknown"),
  warnings: texts("What may go wrong, each with its fix")
})

export const InstallPrintData = Schema.Struct({
  files: field(
    Schema.Array(
      Schema.Struct({ path: text("The file"), mode: text("Its mode, in octal"), text: text("Its text") })
    ),
    "The files that `install` would write"
  ),
  commands: texts("The commands that it would run")
}).annotations({ description: "With `--print`" })

export const UninstallData = Schema.Struct({
  removed: texts("The files that were removed"),
  left: texts("Files beside them that autopilotd did not write"),
  kept: text("The folder of settings, logs and history, which stays")
})

export const VersionData = Schema.Struct({ version: text("The version of this command") })

const at = field(Schema.NullOr(moment(Schema.Int)), "The time of the line; null for a line without one")
const line = text("The line, without its time")

/** A line of `logs --json`. */
export const LogLine = Schema.Union(
  Schema.Struct({
    at,
    project: text("The project of the worker"),
    stream: field(
      Schema.Literal("out", "err", "note"),
      "Standard output, standard error, or a line of the daemon in this log"
    ),
    text: line
  }),
  Schema.Struct({
    at,
    stream: field(Schema.Literal("daemon"), "A line of the daemon's own log (`--daemon`)"),
    level: perhaps(Schema.Literal("info", "warning", "error"), "How much it matters"),
    text: line
  })
)
