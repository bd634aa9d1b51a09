/** Opens the drawer; htmx asks for what is in it. A click beside it closes it. */
export const start = (): void => {
  const drawer = document.getElementById("doctor") as HTMLDialogElement | null
  document.getElementById("doctor-open")?.addEventListener("click", () => drawer?.showModal())
  drawer?.addEventListener("click", ({ target }) => target === drawer && drawer.close())
}
