import * as fs from "node:fs"
import axe from "axe-core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Struct from "effect/Struct"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll } from "vitest"
import { eventually, patience, type Run, run } from "../TestDaemon.ts"

/** Debian's wrapper in /usr/bin prints errors of its own shell; machines of GitHub have Chrome. */
const chromiumPath = [
  process.env["CHROMIUM_PATH"] ?? "",
  "/usr/lib/chromium/chromium",
  "/usr/bin/google-chrome"
].find(fs.existsSync)

/** Why a test cannot drive a browser; undefined when it can. */
export const noBrowser =
  chromiumPath === undefined ? "it needs Chromium (apt-get install chromium, or CHROMIUM_PATH)" : undefined

/** A browser that talks to nobody but the addresses that it is sent to. `evil.test` leads to this machine. */
const launched = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath ?? "",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // The browser's own guard of local servers must not hide that of the panel.
      "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
      "--host-resolver-rules=MAP evil.test 127.0.0.1"
    ]
  })

/** One browser for all tests of a file: each start costs more than a second of a core. */
export const sharedBrowser = (): Effect.Effect<Browser> => {
  let started: Promise<Browser> | undefined
  afterAll(async () => {
    await (await started)?.close()
  })
  return Effect.promise(() => (started ??= launched()))
}

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
    eventually("the panel prints its link", () => /http:\S+#token=\S+/.exec(started.stdout())?.at(0)),
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

/** Rules of WCAG 2.2 A and AA, and the best practices of axe. Returns what a page breaks, and where. */
const axeViolations = async (page: Page, rules: string): Promise<ReadonlyArray<string>> => {
  await page.evaluate(`globalThis.axe === undefined && (() => { ${axe.source} })()`)
  const { violations } = await page.evaluate<axe.AxeResults>(
    `axe.run({ resultTypes: ["violations"], ${rules} })`
  )
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`)
}

/** What is wrong with the state that a page shows: in both themes, and on a small telephone. */
const flawsOf = async (page: Page): Promise<ReadonlyArray<string>> => {
  const flaws: Array<string> = []
  // The themes differ in their colours alone.
  const themes = { light: "", dark: 'runOnly: ["color-contrast"]' } as const
  for (const colorScheme of Struct.keys(themes)) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
    const found = await axeViolations(page, themes[colorScheme])
    // A button that is disabled in the middle of a run has the colours of neither state: a flaw is one that stays.
    const stays = found.length === 0 ? found : await axeViolations(page, themes[colorScheme])
    for (const flaw of found.filter((one) => stays.includes(one))) flaws.push(`${colorScheme}: ${flaw}`)
  }
  const size = page.viewportSize()
  await page.setViewportSize({ width: 360, height: 740 })
  const width = await page.evaluate<number>("document.documentElement.scrollWidth")
  if (width > 360) flaws.push(`at 360 px it is ${width} px wide`)
  if (size !== null) await page.setViewportSize(size)
  return flaws
}

/** A tab, and what it has said on its console. */
export const openPage = Effect.fnUntraced(function* (where: Browser, link: string) {
  const page = yield* Effect.acquireRelease(
    Effect.promise(() => where.newPage()),
    (opened: Page) => Effect.promise(() => opened.context().close())
  )
  // A busy machine needs its time; `eventually` names what does not come about.
  page.setDefaultTimeout(Duration.toMillis(patience()))
  const problems: Array<string> = []
  page.on("console", (message) => {
    // A busy machine lets the page wait for longer than it has patience, and htmx reports that.
    const isLate = /^htmx:(timeout|afterRequest),/.test(message.text())
    if (message.type() === "error" && !isLate) problems.push(message.text())
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
  /** Waits until an expression has a value that is not false. */
  const holds = <A>(expression: string) =>
    eventually(
      expression,
      Effect.promise(async () => (await page.evaluate<A | false>(expression)) || undefined)
    )
  const click = (selector: string) => Effect.promise(() => page.locator(selector).first().click())
  const flaws = Effect.promise(() => flawsOf(page))
  return { page, problems, shows, holds, click, flaws }
})

/** The page of a panel at another path, with its token. */
export const linkTo = ({ origin, token }: TestPanel, path: string): string =>
  `${origin}${path}#token=${token}`
