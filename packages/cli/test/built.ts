import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Builds the command, which the process tests start. */
export function setup(project: TestProject): void {
  build();
  // Build again after an edit in watch mode.
  project.onTestsRerun(async () => {
    try {
      build();
    } catch {
      // The compiler has printed the error. Unfinished code must not end the watch.
    }
  });
}

function build(): void {
  execFileSync("npm", ["run", "build"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}
