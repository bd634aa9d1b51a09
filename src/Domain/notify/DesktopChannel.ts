/** The command that switches notifications on for a desktop. */
export const desktopOn = "autopilotd config set notify.to.desk.type desktop"

/** Whether a process with this environment belongs to a desktop. */
export const isOnDesktop = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  ["WAYLAND_DISPLAY", "DISPLAY"].some((name) => (environment[name] ?? "") !== "")
