import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { html } from "../../Domain/html/Html.ts"
import { tokenHeader } from "../../Domain/panel/RequestGuard.ts"
import { AutopilotHome, HomeUnusable, prepare } from "../daemon/AutopilotHome.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { CommandOutput } from "../output/CommandOutput.ts"

/** What a panel answers to whoever has its link. */
export const PanelAnswer = Schema.Struct({
  pid: Schema.Int,
  version: Schema.String
})

/** A panel that runs for this home. */
export interface RunningPanel extends Schema.Schema.Type<typeof PanelAnswer> {
  readonly link: string
  readonly port: number
  /** A page of the home that leads to the link. */
  readonly page: string
}

const pageOfHome = Effect.map(AutopilotHome, ({ root }) => join(root, "gui.html"))

const textOf = (link: string): string =>
  html`<!doctype html><meta charset="utf-8"><title>autopilotd</title>
<meta http-equiv="refresh" content="0; url=${link}"><a href="${link}">Open the panel of autopilotd</a>
`.text

const linkIn = (text: string) => /href="(http:\/\/127\.0\.0\.1:([0-9]+)\/#token=([\w-]+))"/.exec(text)

const read = (path: string): Promise<string> => fs.readFile(path, "utf8").catch(() => "")

/**
 * Keeps a page in the home that leads to the link, until the scope closes: other commands find the panel by it, and it is
 * what a browser is told to open. The command line of a browser is visible to every user of the machine, so it must not
 * hold the token. Returns its path, or undefined where it cannot be written, which stops no panel.
 */
export const keepLink = (link: string) =>
  Effect.gen(function* () {
    const { err } = yield* CommandOutput
    const path = yield* pageOfHome
    const text = textOf(link)
    const write = Effect.tryPromise({
      try: () => replaceFile(path, text),
      catch: (cause) => HomeUnusable.from(path, cause)
    })
    // Another panel of this home may have taken its place.
    const remove = Effect.promise(async () => {
      if ((await read(path)) === text) await fs.rm(path, { force: true }).catch(() => undefined)
    })
    return yield* Effect.acquireRelease(Effect.zipRight(prepare, write), () => remove).pipe(
      Effect.as<string | undefined>(path),
      Effect.catchAll(({ message }) =>
        Effect.as(err(`autopilotd: The link of the panel is not kept: ${message}\n`), undefined)
      )
    )
  })

const decode = Schema.decodeUnknownOption(Schema.parseJson(PanelAnswer))

/** A panel answers at once, but for a very busy machine. */
const answerMs = 5000

/** The panel of this home that answers to its link; undefined without one. */
export const runningPanel: Effect.Effect<RunningPanel | undefined, never, AutopilotHome> = Effect.gen(
  function* () {
    const page = yield* pageOfHome
    const [, link, port, token = ""] = linkIn(yield* Effect.promise(() => read(page))) ?? []
    if (link === undefined) return undefined
    const answer = yield* Effect.promise(async (signal) =>
      fetch(`http://127.0.0.1:${port}/api/panel`, {
        headers: { [tokenHeader]: token },
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
      }).then(
        (response) => response.text(),
        () => ""
      )
    )
    const found = Option.getOrUndefined(decode(answer))
    return found === undefined ? undefined : { ...found, link, page, port: Number(port) }
  }
)
