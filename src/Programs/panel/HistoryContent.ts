import * as Effect from "effect/Effect"
import type { Fragment } from "../../Domain/panel/Html.ts"
import type { PageRequest } from "./PageContent.ts"

/** The restart history. */
export const historyContent = (_request: PageRequest): Effect.Effect<ReadonlyArray<Fragment>> =>
  Effect.succeed([])
