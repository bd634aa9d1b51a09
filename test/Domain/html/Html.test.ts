import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { html, nothing, outOfBand } from "../../../src/Domain/html/Html.ts"

/** What a browser's parser makes of escaped text. */
const parsed = (text: string): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")

/** NUL and lone CR have no escape in HTML. */
const expected = (text: string): string => text.replace(/[\0\r]/g, "\ufffd")

describe("the template of the panel", () => {
  it("shows every text as it is, in an element and in an attribute", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => {
        const [, attribute = "", content = ""] = /^<p title="([^"]*)">([^]*)<\/p>$/.exec(
          html`<p title="${text}">${text}</p>`.text
        ) ?? ["", "no match"]
        assert.notMatch(content, /[<>]/)
        assert.strictEqual(parsed(attribute), expected(text))
        assert.strictEqual(parsed(content), expected(text))
      })
    )
  })

  it("lets no text be markup, wherever it comes from", () => {
    for (const text of [
      "<script>alert(1)</script>",
      '"><img src=x onerror=alert(1)>',
      "</p><p>",
      "<!--",
      "&lt;"
    ]) {
      const { text: page } = html`<p>${text}</p>`
      assert.strictEqual(page.match(/</g)?.length, 2, page)
    }
  })

  it("joins lists, leaves out what is absent, and keeps its own HTML", () => {
    const items = ["a", "b & c"].map((text) => html`<li>${text}</li>`)
    assert.strictEqual(
      html`<ul>${items}${undefined}${false}${nothing}${3}</ul>`.text,
      "<ul><li>a</li><li>b &amp; c</li>3</ul>"
    )
  })

  it("packs fragments as swaps of their elements' contents", () => {
    assert.strictEqual(
      outOfBand([
        { id: "a", content: html`<b>${"<"}</b>` },
        { id: "b", content: nothing }
      ]),
      '<div id="a" hx-swap-oob="innerHTML"><b>&lt;</b></div>\n<div id="b" hx-swap-oob="innerHTML"></div>'
    )
  })
})
