import { type Html, nothing } from "./Html.ts"

export const doctorButton: Html = nothing
