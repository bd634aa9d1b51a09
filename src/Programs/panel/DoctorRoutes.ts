import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { findingsIn } from "../../Domain/doctor/DoctorAnswer.ts"
import type { Fragment } from "../../Domain/html/Html.ts"
import { doctorAnswer, doctorFailure, preferencesView } from "../../Domain/panel/DoctorView.ts"
import { makeMutex } from "../../Layers/concurrency/Mutex.ts"
import { guiPreferences, rememberAutoStart } from "../../Layers/panel/GuiPreferences.ts"
import { ownCommand } from "../../Layers/panel/OwnCommand.ts"
import { pieces } from "./Pieces.ts"

/** systemctl may hang, and the browser gives up after 30 seconds. */
const limitSeconds = 25

const oneAtATime = makeMutex()

/** `autopilotd doctor`, in a process of its own: doctor reads the env file, which the panel must not hold. */
const findings = Effect.gen(function* () {
  const { code, text } = yield* ownCommand(["doctor", "--json"], { seconds: limitSeconds })
  const answer = findingsIn(text.split("\n").at(-1) ?? "")
  if (answer !== undefined) return doctorAnswer(answer)
  const reason =
    code === null ? `It did not end within ${limitSeconds} seconds.` : `It ended with code ${code}: ${text}`
  return doctorFailure(reason)
}).pipe(
  oneAtATime,
  Effect.catchTag("ProgramNotStarted", ({ reason }) =>
    Effect.succeed(doctorFailure(`It did not start: ${reason}.`))
  )
)

/** What the file says, and why the last change did not reach it. */
const preferences = (problem?: string) =>
  Effect.map(
    Effect.either(guiPreferences),
    (read): Fragment =>
      Either.isRight(read)
        ? preferencesView({
            isAutoStart: read.right.auto_start,
            ...(problem === undefined ? {} : { problem })
          })
        : preferencesView({ isAutoStart: false, problem: read.left.message })
  )

/** A checkbox sends its value, or nothing. */
const Toggle = Schema.Struct({ on: Schema.optional(Schema.Literal("yes")) })

/** What the drawer of doctor shows, and the preference in its foot. */
export const doctorRoutes = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/findings",
    Effect.zipWith(findings, preferences(), (found, preference) => pieces([...found, preference]), {
      concurrent: true
    })
  ),
  HttpRouter.post(
    "/auto-start",
    HttpServerRequest.schemaBodyUrlParams(Toggle).pipe(
      HttpServerRequest.withMaxBodySize(Option.some(1024)),
      Effect.flatMap(({ on }) => rememberAutoStart(on !== undefined)),
      Effect.match({ onSuccess: () => undefined, onFailure: ({ message }) => message }),
      Effect.flatMap(preferences),
      Effect.map((preference) => pieces([preference]))
    )
  )
)
