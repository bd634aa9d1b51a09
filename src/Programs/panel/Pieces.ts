import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { type Fragment, outOfBand } from "../../Domain/html/Html.ts"

/** An answer whose pieces htmx puts where they belong. It swaps only answers of success, so failures are pieces, too. */
export const pieces = (fragments: ReadonlyArray<Fragment>) =>
  HttpServerResponse.text(outOfBand(fragments), {
    contentType: "text/html; charset=utf-8",
    headers: { "cache-control": "no-store" }
  })
