import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Builds what the sources have outgrown. The tests start the command hundreds of times, as its users do from what is built: to have Node
 * strip the types of a hundred files at each start took longer than the starts.
 */
export function setup(project: TestProject): void {
  build();
  // While Vitest watches, what was edited would run as it had been.
  project.onTestsRerun(() => {
    try {
      build();
    } catch {
      // The compiler has told it: what is half written must not end the watch.
    }
  });
}

function build(): void {
  execFileSync("npx", ["tsc", "-b", "packages/cli"], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
}
