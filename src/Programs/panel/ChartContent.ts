import * as Effect from "effect/Effect"
import type { DaemonSight } from "../../Domain/panel/DaemonSight.ts"
import type { Fragment } from "../../Domain/panel/Html.ts"
import type { PageRequest } from "./PageContent.ts"

/** The memory chart and the strip of the last hour. */
export const chartContent = (
  _request: PageRequest,
  _sight: DaemonSight
): Effect.Effect<ReadonlyArray<Fragment>> => Effect.succeed([])
