import * as Effect from "effect/Effect"
import type { Page } from "../../Layers/panel/PageSocket.ts"
import type { PageRequest } from "./PageContent.ts"

/** Sends new lines of the worker to a page, as its filters want them. */
export const liveLog = (_request: PageRequest, _page: Page): Effect.Effect<void> => Effect.never
