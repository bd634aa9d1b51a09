import { find, onHtmx } from "./page.ts"
import { localise } from "./times.ts"

interface Swap {
  readonly target: HTMLElement
  readonly fragment: ParentNode
}

let focused = ""

/** Keeps the focus where it is when a piece of the page is replaced: htmx does so only for answers to requests. */
export const start = (): void => {
  onHtmx<Swap>("oobBeforeSwap", ({ fragment, target }) => {
    // Times are shown in the browser's zone before they enter the page, so that nothing flickers.
    localise(fragment)
    const active = document.activeElement
    focused = active && active !== target && target.contains(active) ? active.id : ""
  })
  onHtmx<Swap>("oobAfterSwap", ({ target }) => {
    if (!focused || document.activeElement !== document.body) return
    const next = find(focused) ?? target.querySelector<HTMLElement>("button, a")
    next?.focus({ preventScroll: true })
  })
  onHtmx<Swap>("afterSwap", ({ target }) => localise(target.parentElement ?? document))
}
