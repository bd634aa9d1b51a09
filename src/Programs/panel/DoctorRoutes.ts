import * as HttpRouter from "@effect/platform/HttpRouter"

export const doctorRoutes = HttpRouter.empty
