/** Shows the state in the title and the icon of the tab, where it is seen without opening it. */
export const showState = (): void => {
  const state = document.querySelector<HTMLElement>("#page-state > span")?.dataset
  if (!state?.["title"] || document.title === state["title"]) return
  document.title = state["title"]
  document.querySelector("link[rel=icon]")?.setAttribute("href", state["icon"] ?? "")
}
