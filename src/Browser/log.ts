export const start = (): void => {}
