import { type Html, nothing } from "./Html.ts"

export const historyCard: Html = nothing
