import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    // The files of a worker share one process: importing Effect anew for each takes longer than most of them run.
    isolate: false,
    // Live tests mostly wait for daemons, so each of two cores carries two of them. With fewer workers at times, tinypool
    // ends an idle one twice, and the whole run with "Terminating worker thread".
    maxWorkers: 4,
    minWorkers: 4,
    maxConcurrency: 10,
    // Ends only what hangs: a test waits for conditions, and `eventually` says which one never comes about.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ["default", "./test/reporter.ts"],
    projects: [
      {
        extends: true,
        test: { name: "quick", include: ["test/{Domain,Layers,Programs}/**/*.test.ts"] }
      },
      {
        extends: true,
        test: {
          name: "live",
          include: ["test/{live,systemd,deploy}/**/*.test.ts"],
          globalSetup: ["./test/globalSetup.ts"]
        }
      }
    ]
  }
})
