import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { Caller } from "../daemon/Caller.ts"
import { startPiped } from "../files/ProgramStart.ts"

/** The answer of a command with `--json`. */
const Answer = Schema.Struct({ success: Schema.Boolean, message: Schema.String })

const decode = Schema.decodeUnknownEither(Schema.parseJson(Answer))

/** More than any error has. */
const maxOutputLength = 64 * 1024

/**
 * Starts the daemon as `autopilotd start --detach` does: through systemd where the service is installed. The launcher of
 * the home comes first, then this installation. Answers with the daemon's own first error when it does not start.
 */
export const startDaemon = (
  argv: ReadonlyArray<string>
): Effect.Effect<typeof Answer.Type, never, AutopilotHome | Caller> =>
  Effect.gen(function* () {
    const { binDir } = yield* AutopilotHome
    const { cwd, program, userHome = "/" } = yield* Caller
    const launcher = join(binDir, "autopilotd")
    const [command, ...args] = existsSync(launcher) ? [launcher] : program
    const ended = yield* Deferred.make<number | null>()
    let said = ""
    yield* startPiped(
      command,
      [...args, "start", "--detach", "--json", ...argv],
      { cwd: existsSync(cwd) ? cwd : userHome },
      (child) => {
        for (const output of [child.stdout, child.stderr])
          output.setEncoding("utf8").on("data", (text: string) => {
            if (said.length < maxOutputLength) said += text
          })
        child.once("close", (code) => Deferred.unsafeDone(ended, Exit.succeed(code)))
      }
    )
    const code = yield* Deferred.await(ended)
    const answer = decode(said.trim().split("\n").at(-1))
    if (Either.isRight(answer)) return answer.right
    const told = said.trim() === "" ? `the command ended with code ${code} and said nothing` : said.trim()
    return { success: code === 0, message: told }
  }).pipe(
    Effect.catchTag("ProgramNotStarted", ({ reason }) =>
      Effect.succeed({ success: false, message: `The daemon was not started: ${reason}.` })
    )
  )
