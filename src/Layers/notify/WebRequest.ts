import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ChannelMessage } from "../../Domain/notify/ChannelMessage.ts"
import { requestProblem } from "../relay/HttpProblem.ts"
import { NotSent } from "./NotSent.ts"
import { signatureHeaders } from "./WebhookSignature.ts"

const limit = "15 seconds"

/** As many pieces of an answer are read as any receiver has to say; the rest of an endless one is not. */
const mostPieces = 16

/** The receiver has not answered. */
const unsent = (error: HttpClientError.HttpClientError): NotSent =>
  new NotSent({ reason: `could not be reached: ${requestProblem("the receiver")(error)}`, next: "retry" })

const refusals: Readonly<Record<number, string>> = {
  401: "a token or another URL is needed",
  403: "the token or the URL may not send there",
  404: "there is nothing at this URL",
  413: "the message is too long for it"
}

/** Judges the status of an answer. 408 and 429 may pass, as every failure of the server may. */
const refusal = (status: number): NotSent | undefined => {
  if (status >= 200 && status < 300) return undefined
  if (status === 410)
    return new NotSent({
      reason: "answered 410, it is gone: nothing more is sent before a reload",
      next: "off"
    })
  if (status >= 300 && status < 400)
    return new NotSent({
      reason: `answered ${status}: it has moved, and redirects are not followed. Set its new URL`,
      next: "give-up"
    })
  const known = refusals[status]
  return new NotSent({
    reason: `answered ${status}${known === undefined ? "" : `: ${known}`}`,
    next: status === 408 || status === 429 || status >= 500 ? "retry" : "give-up"
  })
}

/** Sends one request, within 15 seconds. */
export const sendRequest = (
  message: Extract<ChannelMessage, { readonly _tag: "Request" }>
): Effect.Effect<void, NotSent, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = HttpClient.withTracerPropagation(yield* HttpClient.HttpClient, false)
    const { body, headers, signed, url } = message
    const signature =
      signed === undefined ? {} : signatureHeaders(signed, body, yield* Clock.currentTimeMillis)
    const request = HttpClientRequest.post(url).pipe(
      HttpClientRequest.setHeaders({ ...headers, ...signature, "user-agent": "autopilotd" }),
      HttpClientRequest.bodyText(body, "application/json")
    )
    const response = yield* Effect.mapError(client.execute(request), unsent)
    const refused = refusal(response.status)
    // Unread, an answer holds its connection; what it says is of no interest.
    yield* Effect.ignore(Stream.runDrain(Stream.take(response.stream, mostPieces)))
    if (refused !== undefined) return yield* refused
  }).pipe(
    Effect.timeoutFail({
      duration: limit,
      onTimeout: () => new NotSent({ reason: `has not answered within ${limit}`, next: "retry" })
    })
  )
