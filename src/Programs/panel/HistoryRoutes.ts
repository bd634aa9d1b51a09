import * as HttpRouter from "@effect/platform/HttpRouter"

export const historyRoutes = HttpRouter.empty
