import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import type { Caller } from "../daemon/Caller.ts"
import { ownCommand } from "./OwnCommand.ts"

/** The answer of a command with `--json`. */
const Answer = Schema.Struct({ success: Schema.Boolean, message: Schema.String })

const decode = Schema.decodeUnknownEither(Schema.parseJson(Answer))

/**
 * Starts the daemon as `autopilotd start --detach` does: through systemd where the service is installed. The launcher of
 * the home comes first, then this installation. Answers with the daemon's own first error when it does not start.
 */
export const startDaemon = (
  argv: ReadonlyArray<string>
): Effect.Effect<typeof Answer.Type, never, AutopilotHome | Caller> =>
  Effect.gen(function* () {
    const launcher = join((yield* AutopilotHome).binDir, "autopilotd")
    const { code, text } = yield* ownCommand(
      ["start", "--detach", "--json", ...argv],
      existsSync(launcher) ? { program: [launcher] } : {}
    )
    const answer = decode(text.split("\n").at(-1))
    if (Either.isRight(answer)) return answer.right
    const told = text === "" ? `the command ended with code ${code} and said nothing` : text
    return { success: code === 0, message: told }
  }).pipe(
    Effect.catchTag("ProgramNotStarted", ({ reason }) =>
      Effect.succeed({ success: false, message: `The daemon was not started: ${reason}.` })
    )
  )
