import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { httpReceiver } from "../../fixtures/LocalServer.ts"
import { otlpJson, otlpJudge } from "../../fixtures/OtlpTables.ts"

/** A receiver of metrics by OTLP over HTTP, in protobuf. */
export interface OtlpReceiver {
  readonly url: string
  /** The requests so far, in the form of their JSON. */
  readonly received: () => ReadonlyArray<unknown>
}

export const serveOtlp: Effect.Effect<OtlpReceiver, never, Scope.Scope> = Effect.gen(function* () {
  const received: Array<unknown> = []
  const { url } = yield* httpReceiver((response, { bytes, path }) => {
    if (path === "/v1/metrics") received.push(otlpJson(otlpJudge.decode(bytes)))
    response.end()
  })
  return { url, received: () => received }
})
