import * as fs from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { eventually, run, temporaryHome } from "../TestDaemon.ts"

/** The address that a program of Prometheus listens on, once it does. */
export const addressOf = (stderr: () => string): Effect.Effect<string> =>
  eventually("it listens", () => /msg="Listening on" address=(\S+)/.exec(stderr())?.[1])

/** The text at a URL, once it is answered. */
export const page = (url: string): Effect.Effect<string> =>
  eventually(
    `${url} answers`,
    Effect.tryPromise(async () => {
      const response = await fetch(url)
      return response.ok ? response.text() : undefined
    })
  )

/** The URL of a Prometheus of this configuration. */
export const prometheusOf = Effect.fnUntraced(function* (config: string) {
  const home = yield* temporaryHome
  fs.writeFileSync(join(home, "prometheus.yml"), config)
  const { stderr } = yield* run({
    home,
    command: "prometheus",
    args: [
      `--config.file=${home}/prometheus.yml`,
      `--storage.tsdb.path=${home}/data`,
      "--web.listen-address=127.0.0.1:0"
    ]
  })
  return `http://${yield* addressOf(stderr)}`
})
