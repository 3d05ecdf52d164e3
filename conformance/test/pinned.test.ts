import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

type Packages = Readonly<Record<string, { readonly version?: string }>>;

function packagesOf(lockfile: string): Packages {
  const { packages } = JSON.parse(readFileSync(new URL(lockfile, import.meta.url), "utf8")) as { packages: Packages };
  return packages;
}

// Our tarballs are installed on top, and npm may look anew for what the clients ask for: then a release of the day would judge.
test("installs the oracles and their dependencies as the lockfile pins them", () => {
  const pinned = packagesOf("../package-lock.json");
  const installed = packagesOf("../node_modules/.package-lock.json");
  const both = Object.keys(installed).filter((path) => path in pinned);
  const versions = (packages: Packages) => both.map((path) => `${path} ${packages[path]?.version}`);
  expect(both.length).toBeGreaterThan(300);
  expect(versions(installed)).toEqual(versions(pinned));
});
