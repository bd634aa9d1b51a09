import { type Html, nothing } from "./Html.ts"

export const editorCard: Html = nothing
