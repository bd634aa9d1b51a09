// How long from a worker's death until an open page of the panel shows it? Beside a bare subscriber of the daemon.
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { install, startDaemon } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { session, sleep, within } from "./kit/Session.mjs"

const rounds = option("rounds", 24)
const warmUps = 3
const goalMs = 150
const here = dirname(fileURLToPath(import.meta.url))
const executablePath = [
  process.env.CHROMIUM_PATH ?? "",
  "/usr/lib/chromium/chromium",
  "/usr/bin/google-chrome"
].find(existsSync)

const nowMs = () => performance.timeOrigin + performance.now()

/** The link of a panel in the daemon's home. */
const startPanel = async (run, { launcher }, home) => {
  const child = run.start(launcher, ["gui", "--port", "0"], {
    env: { ...process.env, AUTOPILOT_HOME: home },
    stdio: ["ignore", "pipe", "inherit"]
  })
  const lines = createInterface({ input: child.stdout })
  const [link] = await within(
    20_000,
    "the link of the panel",
    new Promise((done) =>
      lines.on("line", (line) => {
        const found = /http:\S+/.exec(line)
        if (found) done(found)
      })
    )
  )
  return link
}

/** Runs in the page: notes when it shows that the worker does not run, and when that was painted. */
const watch = () => {
  const box = document.getElementById("daemon-status-content")
  const now = () => performance.timeOrigin + performance.now()
  globalThis.seen = new Promise((done) => {
    const observer = new MutationObserver(() => {
      if (document.getElementById("state-title").textContent === "Worker running") return
      observer.disconnect()
      const changedMs = now()
      // A task right after a frame's callbacks runs once the frame is drawn.
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel()
        port1.addEventListener("message", () => done({ changedMs, paintedMs: now() }))
        port1.start()
        port2.postMessage(undefined)
      })
    })
    observer.observe(box, { childList: true, subtree: true, characterData: true })
  })
}

await session(rounds * 10_000 + 120_000, async (run) => {
  const driver = await import("playwright-core").catch(() => undefined)
  if (driver === undefined || executablePath === undefined)
    return console.log(
      "The panel is not measured: it needs the tools (npm run check installs them) and Chromium (apt-get install chromium, or CHROMIUM_PATH)."
    )
  const autopilotd = install(run)
  const daemon = await startDaemon(run, autopilotd, {
    name: "home",
    restart: { initial_backoff_ms: 400, backoff_multiplier: 1, jitter: 0 },
    worker: ["sh", "-c", "exec sleep 1000000"]
  })
  const subscriber = run.start(process.execPath, [join(here, "floor/subscriber.mjs"), daemon.socket], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const heard = createInterface({ input: subscriber.stdout })[Symbol.asyncIterator]()
  const link = await startPanel(run, autopilotd, daemon.home)
  const browser = await driver.chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking"
    ]
  })
  run.atEnd(() => browser.close())
  const page = await browser.newPage()
  await page.goto(link)
  await page.waitForSelector("#conn[data-state=live]")

  const tookMs = { floor: [], changed: [], painted: [] }
  for (let round = -warmUps; round < rounds; round++) {
    const { worker_pid: pid } = await daemon.awaitStatus("running")
    await page.waitForFunction(
      (shown) => document.getElementById("daemon-status-content").textContent.includes(shown),
      `pid ${pid}`
    )
    await page.evaluate(watch)
    // The page also asks every three seconds: no phase of that must be preferred.
    await sleep(200 + Math.random() * 3000)
    const killedMs = nowMs()
    process.kill(pid, "SIGKILL")
    const { changedMs, paintedMs } = await within(
      20_000,
      "the page shows it",
      page.evaluate(() => globalThis.seen)
    )
    const { value: heardMs } = await within(20_000, "the subscriber hears of it", heard.next())
    if (round < 0) continue
    tookMs.floor.push(Number(heardMs) - killedMs)
    tookMs.changed.push(changedMs - killedMs)
    tookMs.painted.push(paintedMs - killedMs)
  }

  const floorMs = median(tookMs.floor)
  const row = (name, values, goal) => [
    name,
    median(values),
    quantile(values, 0.95),
    Math.max(...values),
    ratio(median(values), floorMs),
    goal === undefined ? "" : median(values) < goal ? `< ${goal}: met` : `< ${goal}: missed`
  ]
  printTable(
    `The panel: SIGKILL of the worker to the page that shows it, ${rounds} kills, one tab.`,
    ["", "p50 ms", "p95", "max", "/ floor", "goal of p50"],
    [
      row("bare subscriber hears of it", tookMs.floor),
      row("page has changed", tookMs.changed),
      row("page is painted", tookMs.painted, goalMs)
    ]
  )
})
