import * as HttpRouter from "@effect/platform/HttpRouter"

export const editorRoutes = HttpRouter.empty
