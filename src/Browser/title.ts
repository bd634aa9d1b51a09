const colours: Readonly<Record<string, string>> = {
  ok: "#18a058",
  warn: "#c47a00",
  bad: "#dc3a33",
  off: "#8a94a3"
}

/** Shows the state in the title and the icon of the tab, where it is seen without opening it. */
export const showState = (): void => {
  const {
    project = "",
    tone = "off",
    word = ""
  } = document.querySelector<HTMLElement>("#page-state > span")?.dataset ?? {}
  const parts = [`${tone === "off" ? "○" : "●"} ${word}`, project, "autopilotd"].filter((part) => part !== "")
  const title = parts.join(" · ")
  if (word === "" || document.title === title) return
  document.title = title
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.5" fill="${colours[tone] ?? colours["off"]}"/></svg>`
  document
    .querySelector<HTMLLinkElement>("link[rel=icon]")
    ?.setAttribute("href", `data:image/svg+xml,${encodeURIComponent(picture)}`)
}
