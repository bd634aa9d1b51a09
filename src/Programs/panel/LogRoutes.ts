import * as HttpRouter from "@effect/platform/HttpRouter"

export const logRoutes = HttpRouter.empty
