import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import { type Browser, chromium, type Page } from "playwright-core"
import { eventually, type Run, run, temporaryHome } from "../TestDaemon.ts"

/** Debian's wrapper in /usr/bin prints errors of its own shell. */
const chromiumPath = process.env["CHROMIUM_PATH"] ?? "/usr/lib/chromium/chromium"

/** Why a test cannot drive a browser; undefined when it can. */
export const noBrowser = fs.existsSync(chromiumPath)
  ? undefined
  : "it needs Chromium (apt-get install chromium, or CHROMIUM_PATH)"

/** A browser that talks to nobody but the addresses that it is sent to. */
export const browser = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      chromium.launch({
        executablePath: chromiumPath,
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          ...args
        ]
      })
    ),
    (started: Browser) => Effect.promise(() => started.close())
  )

export interface TestPanel extends Run {
  /** With the token. */
  readonly link: string
  readonly origin: string
  readonly token: string
  /** As the page itself asks. */
  readonly fetch: (path: string, init?: RequestInit) => Effect.Effect<Response>
}

/** `autopilotd gui` on a free port, once it serves. */
export const startPanel = Effect.fnUntraced(function* (options: {
  readonly home: string
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string | undefined>>
}) {
  const args =
    options.args?.includes("--port") === true ? options.args : ["--port", "0", ...(options.args ?? [])]
  const started = yield* run({ ...options, args: ["gui", ...args] })
  const link = yield* Effect.raceFirst(
    eventually(
      "the panel prints its link",
      Effect.sync(() => /http:\S+#token=\S+/.exec(started.stdout())?.at(0))
    ),
    Effect.flatMap(started.ended, () => Effect.dieMessage(`the panel ended at once: ${started.stderr()}`))
  )
  const { hash, origin } = new URL(link)
  const token = hash.slice("#token=".length)
  const panel: TestPanel = {
    ...started,
    link,
    origin,
    token,
    fetch: (path, init = {}) =>
      Effect.promise(() =>
        fetch(`${origin}${path}`, { ...init, headers: { "x-autopilotd-token": token, ...init.headers } })
      )
  }
  return panel
})

/** What a page has said on its console, but for connections that fail while the panel is away. */
export const openPage = Effect.fnUntraced(function* (where: Browser, link: string) {
  const page = yield* Effect.acquireRelease(
    Effect.promise(() => where.newPage()),
    (opened: Page) => Effect.promise(() => opened.context().close())
  )
  const problems: Array<string> = []
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text())
  })
  page.on("pageerror", ({ message }) => problems.push(message))
  yield* Effect.promise(() => page.goto(link))
  /** Waits until an element shows a text. */
  const shows = (selector: string, text: string | RegExp) =>
    eventually(
      `${selector} shows ${text}`,
      Effect.promise(async () => {
        const shown = await page
          .locator(selector)
          .first()
          .innerText({ timeout: 1000 })
          .catch(() => "")
        return (typeof text === "string" ? shown.includes(text) : text.test(shown)) ? shown : undefined
      })
    )
  return { page, problems, shows }
})

/** A home, and a panel that serves it. */
export const panelAlone = Effect.gen(function* () {
  const home = yield* temporaryHome
  return { home, panel: yield* startPanel({ home }) }
})
