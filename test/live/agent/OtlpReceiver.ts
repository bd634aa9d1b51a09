import * as Http from "node:http"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { otlpJson, otlpJudge } from "../../fixtures/OtlpTables.ts"

/** A receiver of metrics by OTLP over HTTP, in protobuf. */
export interface OtlpReceiver {
  readonly url: string
  /** The requests so far, in the form of their JSON. */
  readonly received: () => ReadonlyArray<unknown>
}

export const serveOtlp: Effect.Effect<OtlpReceiver, never, Scope.Scope> = Effect.gen(function* () {
  const received: Array<unknown> = []
  const server = yield* Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const listening = Http.createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => void chunks.push(chunk))
        request.on("end", () => {
          if (request.url === "/v1/metrics") received.push(otlpJson(otlpJudge.decode(Buffer.concat(chunks))))
          response.end()
        })
      }).listen(0, "127.0.0.1", () => resume(Effect.succeed(listening)))
    }),
    (listening) =>
      Effect.sync(() => {
        listening.close()
        listening.closeAllConnections()
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, received: () => received }
})
