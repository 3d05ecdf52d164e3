import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Builds what the sources have outgrown. The tests start the command hundreds of times, as its users do from what is built: to have Node
 * strip the types of a hundred files at each start took longer than the starts.
 */
export function setup(): void {
  execFileSync("npx", ["tsc", "-b", "packages/cli"], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
}
