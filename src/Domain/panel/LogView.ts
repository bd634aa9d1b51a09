import { type Html, nothing } from "./Html.ts"

export const logCard: Html = nothing
