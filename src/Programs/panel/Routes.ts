import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import type { Html } from "../../Domain/html/Html.ts"
import { allPage, cardPage, fullPage } from "../../Domain/panel/Shell.ts"
import { pageSockets } from "../../Layers/panel/PageSocket.ts"
import type { PanelAssets } from "../../Layers/panel/PanelAssets.ts"
import { PanelAnswer } from "../../Layers/panel/PanelLink.ts"
import { refused } from "../../Layers/panel/PanelServer.ts"
import { version } from "../Version.ts"
import { actions, type StartOptions } from "./Actions.ts"
import { asked } from "./Asked.ts"
import { doctorRoutes } from "./DoctorRoutes.ts"
import { editorRoutes } from "./EditorRoutes.ts"
import { historyRoutes } from "./HistoryRoutes.ts"
import { livePage } from "./LivePage.ts"
import { logRoutes } from "./LogRoutes.ts"
import { PageRequest, pageContent } from "./PageParts.ts"
import { pieces } from "./Pieces.ts"

/** Without a charset a browser guesses one. */
const page = (content: Html) =>
  HttpServerResponse.text(content.text, {
    contentType: "text/html; charset=utf-8",
    headers: { "cache-control": "no-store" }
  })

interface RouteOptions {
  readonly assets: PanelAssets
  readonly start: StartOptions
}

/** Every address of the panel. */
export const routes = ({ assets, start }: RouteOptions) =>
  Effect.map(pageSockets, (onPage) =>
    HttpRouter.empty.pipe(
      HttpRouter.get(
        "/",
        Effect.sync(() => page(fullPage(assets.url)))
      ),
      HttpRouter.get(
        "/all",
        Effect.sync(() => page(allPage(assets.url)))
      ),
      HttpRouter.get(
        "/panel",
        Effect.sync(() => page(cardPage(assets.url)))
      ),
      HttpRouter.get(
        "/assets/:version/:name",
        Effect.map(HttpServerRequest.HttpServerRequest, ({ headers, url }) => {
          const asset = assets.at(url.split("?", 1)[0] ?? "")
          if (asset === undefined) return refused(404, "There is no such file.")
          const { content, contentType, gzipped } = asset
          // Worth it through an SSH tunnel.
          const isGzipped = gzipped !== undefined && /\bgzip\b/.test(headers["accept-encoding"] ?? "")
          return HttpServerResponse.uint8Array(isGzipped ? gzipped : content, {
            contentType,
            headers: {
              "cache-control": "public, max-age=31536000, immutable",
              vary: "accept-encoding",
              ...(isGzipped ? { "content-encoding": "gzip" } : {})
            }
          })
        })
      ),
      HttpRouter.get(
        "/ui/page",
        Effect.gen(function* () {
          return pieces(yield* pageContent(yield* asked(PageRequest)))
        })
      ),
      HttpRouter.get(
        "/ws",
        Effect.flatMap(asked(PageRequest), (request) => onPage(livePage(request)))
      ),
      HttpRouter.get(
        "/api/panel",
        Effect.sync(() => HttpServerResponse.unsafeJson(PanelAnswer.make({ pid: process.pid, version })))
      ),
      HttpRouter.mount("/api/daemon", actions(start)),
      HttpRouter.mount("/ui/log", logRoutes),
      HttpRouter.mount("/ui/config", editorRoutes),
      HttpRouter.mount("/ui/doctor", doctorRoutes),
      HttpRouter.mount("/ui/history", historyRoutes),
      // Not by the router itself, which fails with RouteNotFound only as it runs.
      Effect.catchTags({
        RouteNotFound: () => Effect.succeed(refused(404, "There is no such page.")),
        RequestError: () => Effect.succeed(refused(400, "The request is not understood.")),
        BadQuestion: ({ message }) => Effect.succeed(refused(400, message))
      })
    )
  )
