import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Fragment, nothing, outOfBand } from "../../Domain/html/Html.ts"
import { DaemonWatch } from "../../Layers/panel/DaemonWatch.ts"
import type { Page } from "../../Layers/panel/PageSocket.ts"
import { liveLog } from "./LiveLog.ts"
import { type PageRequest, pageParts } from "./PageParts.ts"

/** Sent when nothing has changed, so that the page knows that it is still connected. */
const sign = outOfBand([{ id: "alive", content: nothing }])

/** Keeps a page up to date: sends each piece whenever its content has changed, and nothing else. */
export const livePage = (request: PageRequest) => (page: Page) =>
  Effect.gen(function* () {
    const { changes } = yield* DaemonWatch
    const sent = new Map<string, string>()
    const state = changes.pipe(
      // The newest state is enough for a page that is slower than the changes.
      Stream.buffer({ capacity: 1, strategy: "sliding" }),
      Stream.runForEach(() =>
        Effect.gen(function* () {
          let hasSent = false
          for (const part of yield* pageParts(request)) {
            const fragments: ReadonlyArray<Fragment> = yield* part
            const changed = fragments.filter(({ content, id, key }) => sent.get(id) !== (key ?? content.text))
            if (changed.length === 0) continue
            for (const { content, id, key } of changed) sent.set(id, key ?? content.text)
            yield* page.send(outOfBand(changed))
            hasSent = true
          }
          if (!hasSent) yield* page.send(sign)
        })
      )
    )
    yield* Effect.raceFirst(state, liveLog(request, page))
  })
