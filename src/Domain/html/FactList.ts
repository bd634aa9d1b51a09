import { type Html, type HtmlValue, html } from "./Html.ts"

/** What is true of something, label by label. */
export interface Fact {
  readonly label: string
  readonly value: HtmlValue
  readonly note?: HtmlValue
  readonly isBad?: boolean
}

export const factList = (facts: ReadonlyArray<Fact>): Html =>
  html`<dl class="facts">${facts.map(
    ({ isBad, label, note, value }) =>
      html`<div><dt>${label}</dt><dd class="${isBad === true ? "t-bad" : ""}">${value} <small>${note}</small></dd></div>`
  )}</dl>`
