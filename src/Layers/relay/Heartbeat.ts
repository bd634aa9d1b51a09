import * as HttpClient from "@effect/platform/HttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { failedProjects, heartbeatUrl, urlIn } from "../../Domain/relay/HeartbeatUrl.ts"
import type { Heartbeat } from "../../Domain/relay/RelaySettings.ts"
import { ControlClient } from "../control/ControlClient.ts"
import { readTextFile } from "../files/TextFile.ts"
import { requestProblem } from "./HttpProblem.ts"
import { OutletReports } from "./OutletReports.ts"

/** The daemon answers within milliseconds. */
const daemonLimitMs = 5000

const serviceLimit = Duration.seconds(15)

const outlet = "heartbeat"

const answerProblem = (status: number): string | undefined => {
  if (status >= 200 && status < 300) return undefined
  if (status >= 300 && status < 400)
    return `the service redirects (status ${status}): write the address it redirects to into the file`
  return `the service answers with status ${status}`
}

/** Calls a URL, and returns what is wrong with the answer. Follows no redirect, and reads no body. */
const call = (url: URL) =>
  Effect.gen(function* () {
    const client = HttpClient.withTracerPropagation(HttpClient.withScope(yield* HttpClient.HttpClient), false)
    const { status } = yield* client.get(url)
    return answerProblem(status)
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) => Effect.succeed(requestProblem("the service")(error))),
    Effect.timeoutTo({
      duration: serviceLimit,
      onSuccess: (problem: string | undefined) => problem,
      onTimeout: () => `the service has not answered within ${Duration.format(serviceLimit)}`
    })
  )

/**
 * Calls the URL at each interval at which the daemon answers, and for ever: a service that misses the call raises the alarm,
 * whatever has happened to relay, daemon or machine. The file is read each time, so that a new URL works at once.
 */
export const heartbeat = Effect.fnUntraced(function* ({ intervalMs, urlFile }: Heartbeat) {
  const { request } = yield* ControlClient
  const { fails, works } = yield* OutletReports

  const beat = Effect.gen(function* () {
    const asked = request({ type: "Projects" }, { wholeMs: daemonLimitMs })
    const rows = Option.flatMapNullable(yield* Effect.option(asked), ({ data }) => data?.projects)
    if (Option.isNone(rows)) return
    const { text } = yield* Effect.mapError(readTextFile(urlFile), ({ path, reason }) => `${path} ${reason}`)
    const url = yield* Effect.mapError(urlIn(text), (problem) => `${urlFile} ${problem}`)
    const problem = yield* call(heartbeatUrl(url, failedProjects(rows.value)))
    if (problem !== undefined) return yield* Effect.fail(problem)
    yield* works(outlet)
  }).pipe(Effect.catchAll((problem) => fails(outlet, problem)))

  yield* Effect.repeat(beat, Schedule.fixed(intervalMs))
  return yield* Effect.never
})
