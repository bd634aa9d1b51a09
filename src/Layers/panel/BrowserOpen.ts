import * as Effect from "effect/Effect"
import { startProgram } from "../files/ProgramStart.ts"
import { CommandOutput } from "../output/CommandOutput.ts"

/** Opens a file in the user's browser by xdg-open. Where that fails, the printed link remains. */
export const openInBrowser = (path: string): Effect.Effect<void, never, CommandOutput> =>
  startProgram("xdg-open", [path], { detached: true, stdio: "ignore" }, (child) => child.unref()).pipe(
    Effect.asVoid,
    Effect.catchAll(({ reason }) =>
      Effect.flatMap(CommandOutput, ({ err }) =>
        err(`autopilotd: The browser was not opened by xdg-open: ${reason}. Open the link above by hand.\n`)
      )
    )
  )
