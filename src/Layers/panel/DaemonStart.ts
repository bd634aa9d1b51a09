import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { isMainProcess } from "../../Domain/systemd/OwnUnitFacts.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { Caller } from "../daemon/Caller.ts"
import { ownCommand } from "./OwnCommand.ts"

/** The answer of a command with `--json`. */
const Answer = Schema.Struct({ success: Schema.Boolean, message: Schema.String })

const decode = Schema.decodeUnknownEither(Schema.parseJson(Answer))

/**
 * Runs a command outside of the panel's unit, whose restrictions no worker can live with, and which takes all of its
 * processes with it when it stops.
 */
const outsideOfUnit = (command: ReadonlyArray<string>): readonly [string, ...ReadonlyArray<string>] => [
  "systemd-run",
  "--user",
  "--quiet",
  "--collect",
  "--pipe",
  "--wait",
  "--property=KillMode=process",
  "--",
  "/bin/sh",
  // systemd replaces variables in arguments, but not in the name of the program.
  ...["-c", 'exec "$@"', "sh", ...command].map((word) => word.replaceAll("$", "$$$$"))
]

/**
 * Starts the daemon as `autopilotd start --detach` does: through systemd where the service is installed. The launcher of
 * the home comes first, then this installation. Answers with the daemon's own first error when it does not start.
 */
export const startDaemon = (
  argv: ReadonlyArray<string>
): Effect.Effect<typeof Answer.Type, never, AutopilotHome | Caller> =>
  Effect.gen(function* () {
    const launcher = join((yield* AutopilotHome).binDir, "autopilotd")
    const { environment, program: own } = yield* Caller
    const program = existsSync(launcher) ? ([launcher] as const) : own
    const { code, text } = yield* ownCommand(["start", "--detach", "--json", ...argv], {
      program: isMainProcess(environment, process.pid) ? outsideOfUnit(program) : program
    })
    const answer = decode(text.split("\n").at(-1))
    if (Either.isRight(answer)) return answer.right
    const told = text === "" ? `the command ended with code ${code} and said nothing` : text
    return { success: code === 0, message: told }
  }).pipe(
    Effect.catchTag("ProgramNotStarted", ({ reason }) =>
      Effect.succeed({ success: false, message: `The daemon was not started: ${reason}.` })
    )
  )
