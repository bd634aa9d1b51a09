import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { type News, nothingTold } from "../../../src/Domain/notify/DaemonNews.ts"
import { newsStep } from "../../../src/Domain/notify/News.ts"
import type { Notification } from "../../../src/Domain/notify/Notification.ts"
import {
  type NotifyRules,
  nothingWaits,
  type PolicyState,
  policyStep
} from "../../../src/Domain/notify/NotifyPolicy.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { Followed } from "../../../src/Domain/relay/Followed.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import type { Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"

export const shop = ProjectName.make("shop")
/** 2026-11-20, 12:00 UTC. */
export const noon = Date.UTC(2026, 10, 20, 12)

export const rules: NotifyRules = {
  kinds: ["failed", "crash", "limit", "done", "memory", "budget", "daemon"],
  minIntervalMs: 900_000,
  quietHours: false,
  quietExcept: ["failed", "daemon"],
  zone: utc
}

const boom: Verdict = { kind: "crash", exit: { code: 1, signal: null }, tail: ["boom"] }

export const ended = (verdict: Verdict = boom, project = shop): DaemonEvent => ({
  _tag: "WorkerEnded",
  project,
  verdict,
  exit: { code: verdict.kind === "done" ? 0 : 1, signal: null },
  uptimeMs: 5000
})

export const started = (project = shop): DaemonEvent => ({
  _tag: "WorkerStarted",
  project,
  pid: 7,
  workerId: "home:shop:1",
  command: ["agent"]
})

export const backingOff = (failures: number, project = shop): DaemonEvent => ({
  _tag: "BackingOff",
  project,
  failures,
  delayMs: 1000 * 2 ** (failures - 1)
})

/** A relay that follows one daemon, and one channel of its. */
export const channel = (given: Partial<NotifyRules> = {}, daemon = "run1") => {
  const own = { ...rules, ...given }
  let news: News = nothingTold
  let policy: PolicyState = nothingWaits
  let seq = 0
  const told: Array<Notification & { readonly sentMs: number }> = []
  const take = (items: ReturnType<typeof newsStep>[1], nowMs: number) => {
    for (const item of items.length === 0 ? [undefined] : items) {
      const [next, sent] = policyStep(own, policy, item, nowMs)
      policy = next
      told.push(...sent.map((one) => ({ ...one, sentMs: nowMs })))
    }
  }
  const follow = (followed: Followed, nowMs: number) => {
    const [next, items] = newsStep(news, followed, utc)
    news = next
    take(items, nowMs)
    return items
  }
  return {
    told,
    titles: () => told.map(({ title }) => title),
    follow,
    at: (atMs: number, ...events: ReadonlyArray<DaemonEvent>) =>
      events.flatMap((event) =>
        follow({ _tag: "Event", record: { at: atMs, daemon, seq: seq++, ...event } }, atMs)
      ),
    tick: (nowMs: number) => take([], nowMs),
    policy: () => policy
  }
}
