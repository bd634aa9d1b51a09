// Pictures of the panel in each state, for the README and for a look at every change: docs/images/*.png, drawn by
// Chromium with the demo of `npm run gui:demo`. CHROMIUM_PATH names the browser.
//   node scripts/screenshots.mjs          all pictures
//   node scripts/screenshots.mjs all card only these
import { mkdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import { startDemo } from "./demo-panel.mjs"

const folder = join(dirname(fileURLToPath(import.meta.url)), "../docs/images")
const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/lib/chromium/chromium"
const maxBytes = 150_000

const wide = { width: 1360, height: 860 }
const narrow = { width: 360, height: 760 }

const state = (name) => (page) => page.waitForFunction((word) => document.title.includes(word), name)
const isConnected = (word) => (page) => page.waitForSelector(`#conn[data-state=${word}]`)

/** A picture: where it is taken, and what is done before. `stop` ends a part of the demo, so these come last. */
const pictures = [
  { name: "running", path: "/?project=docs", view: wide, scheme: "dark", act: state("Running") },
  { name: "running-light", path: "/?project=docs", view: wide, scheme: "light", act: state("Running") },
  { name: "narrow", path: "/?project=docs", view: narrow, scheme: "dark", act: state("Running") },
  { name: "waiting", path: "/?project=website", view: wide, scheme: "dark", act: state("Restarting") },
  { name: "failed", path: "/?project=relay", view: wide, scheme: "light", act: state("Failed") },
  { name: "all", path: "/all", view: wide, scheme: "dark", act: state("failed") },
  { name: "card", path: "/panel?project=docs", view: { width: 420, height: 520 }, scheme: "dark" },
  {
    name: "history",
    path: "/?project=docs",
    view: { width: 1280, height: 800 },
    scheme: "light",
    act: async (page) => {
      await page.click("[popovertarget=history-list]")
      await page.waitForSelector("#history-all .tag")
    }
  },
  {
    name: "dialog",
    path: "/?project=docs",
    view: wide,
    scheme: "dark",
    act: (page) => page.click("#do-stop")
  },
  {
    name: "offline",
    path: "/?project=docs",
    view: wide,
    scheme: "light",
    act: async (page, demo) => {
      demo.gui.kill("SIGSTOP")
      await isConnected("offline")(page)
    },
    after: (demo) => demo.gui.kill("SIGCONT")
  },
  {
    name: "no-daemon",
    path: "/?project=docs",
    view: wide,
    scheme: "dark",
    act: async (page, demo) => {
      demo.run("stop")
      await state("No daemon")(page)
      // The daemon answers no more before its last process is gone: until then the page names what still lives.
      await page.waitForFunction(
        () => !/holds the lock|still alive/.test(document.querySelector("#banner").textContent)
      )
    }
  }
]

const take = async (browser, demo, { act, after, name, path, scheme, view }) => {
  const context = await browser.newContext({ viewport: view, colorScheme: scheme, reducedMotion: "reduce" })
  const page = await context.newPage()
  const problems = []
  page.on("pageerror", (error) => problems.push(error.message))
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()))
  const { hash, origin } = new URL(demo.link)
  await page.goto(`${origin}${path}${hash}`)
  await isConnected("live")(page)
  await page.waitForSelector("#page-state > span", { state: "attached" })
  await act?.(page, demo)
  await page.evaluate(() => document.fonts.ready)
  await page.waitForTimeout(400)
  const file = join(folder, `${name}.png`)
  await page.screenshot({ path: file })
  after?.(demo)
  await context.close()
  const { size } = statSync(file)
  process.stdout.write(`${name}.png: ${Math.round(size / 1000)} kB\n`)
  if (size > maxBytes) problems.push(`the picture has more than ${maxBytes / 1000} kB`)
  for (const problem of problems) process.stderr.write(`${name}: ${problem}\n`)
}

const only = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const demo = await startDemo()
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => demo.stop().then(() => process.exit(1)))
try {
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking"
    ]
  })
  for (const picture of pictures)
    if (only.length === 0 || only.includes(picture.name)) await take(browser, demo, picture)
  await browser.close()
} finally {
  await demo.stop()
}
