import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { importsOf } from "../imports-of.mjs";
import { published, root } from "../run.mjs";
import { describePublished, sbomOf } from "../sbom.mjs";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly publishConfig?: object;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly bundleDependencies?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

let folder: string;
/** What a release would upload, by its folder. */
const tarballs = new Map<string, string>();
let described: Awaited<ReturnType<typeof describePublished>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "daypass-release-"));
  const workspaces = published.map((path) => `--workspace=${path}`);
  const args = ["pack", "--json", `--pack-destination=${folder}`, ...workspaces];
  const packing = promisify(execFile)("npm", args, { cwd: root });
  const [{ stdout }, bom] = await Promise.all([packing, describePublished()]);
  described = bom;
  const names = Object.values(JSON.parse(stdout)).map((entry) => (entry as { readonly filename: string }).filename);
  for (const path of published) {
    const { name, version } = JSON.parse(readFileSync(`${root}${path}/package.json`, "utf8")) as Manifest;
    const file = `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
    expect(names).toContain(file);
    tarballs.set(path, join(folder, file));
  }
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tar = (args: readonly string[]): string => execFileSync("tar", args, { encoding: "utf8" });
const manifestOf = (tarball: string): Manifest => JSON.parse(tar(["-xOzf", tarball, "package/package.json"]));

/** Where Node would find a package from a place in the lockfile. */
function found(packages: Readonly<Record<string, Entry>>, name: string, from: string): string {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf("/node_modules/")))) {
    const path = `${place}${place === "" ? "" : "/"}node_modules/${name}`;
    if (path in packages) return path;
    if (place === "") throw new Error(`expected ${name} in the lockfile`);
  }
}

interface Entry extends Omit<Manifest, "name"> {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly resolved?: string;
}

/** What the lockfile installs for a workspace, read by hand: `name@version` and its SHA-512, none for ours. */
function locked(path: string): ReadonlyMap<string, string | undefined> {
  const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, "utf8")) as {
    readonly packages: Readonly<Record<string, Entry>>;
  };
  const all = new Map<string, string | undefined>();
  const visit = (place: string): void => {
    const { dependencies, optionalDependencies, devDependencies } = packages[place] ?? {};
    // The bundles of the command line contain what its development depends on.
    const bundled = place === "packages/cli" ? devDependencies : {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...bundled })) {
      const at = found(packages, name, place);
      const { link, resolved } = packages[at] as Entry;
      const target = link === true ? (resolved as string) : at;
      const { version, integrity } = packages[target] as Entry;
      // No other package is in the folder from which it is loaded.
      expect(JSON.parse(readFileSync(`${root}${at}/package.json`, "utf8"))).toMatchObject({ name, version });
      if (all.has(`${name}@${version}`)) continue;
      const digest = integrity?.replace(/^sha512-/, "");
      all.set(`${name}@${version}`, digest && Buffer.from(digest, "base64").toString("hex"));
      visit(target);
    }
  };
  visit(path);
  return all;
}

describe.each(published)("a release of %s", (path) => {
  test("runs nothing when it is installed, and brings no package that no lockfile names", () => {
    const tarball = tarballs.get(path) as string;
    const { scripts, bundleDependencies, dependencies, publishConfig } = manifestOf(tarball);
    expect(publishConfig).toEqual({ access: "public", provenance: true });
    // An installed package runs no script, at any time.
    expect([scripts, bundleDependencies]).toEqual([undefined, undefined]);
    for (const version of Object.values(dependencies ?? {})) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    // npm runs `node-gyp rebuild` where it finds this, and no script says so.
    const files = tar(["-tzf", tarball]).split("\n");
    expect(files.filter((file) => /binding\.gyp$|node_modules|\.node$/.test(file))).toEqual([]);
  });

  test("has an SBOM of itself and of what it runs on in production, with each version and digest", () => {
    const { name, version } = manifestOf(tarballs.get(path) as string);
    const { metadata, components, dependencies } = sbomOf(path, described);
    expect(metadata.component).toMatchObject({ "bom-ref": `${name}@${version}`, name, version });
    const listed = components.map(({ "bom-ref": ref, name: called, hashes }) => {
      expect(ref.slice(0, called.length + 1)).toBe(`${called}@`);
      expect(hashes === undefined || hashes.map(({ alg }) => alg)).toEqual(hashes === undefined || ["SHA-512"]);
      return [ref, hashes?.[0]?.content];
    });
    expect(listed.sort()).toEqual([...locked(path)].sort());
    // Only what we make ourselves has its digest when it is packed.
    const unpacked = listed.flatMap(([ref, digest]) => (digest === undefined ? [String(ref)] : []));
    expect(unpacked.every((ref) => /^(daypass|@daypass\/gateway)@/.test(ref))).toBe(true);
    const sorted = (refs: readonly string[]) => refs.toSorted();
    expect(sorted(dependencies.map(({ ref }) => ref))).toEqual(sorted([`${name}@${version}`, ...locked(path).keys()]));
  });
});

test("the packed gateway has its thread files, which import only Node and each other, and answer", async () => {
  const package_ = join(folder, "gateway");
  mkdirSync(package_);
  tar(["-xzf", tarballs.get("packages/gateway") as string, "-C", package_]);
  const dist = join(package_, "package/dist");
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".thread.js"));
  for (const file of files) {
    const imported = importsOf(readFileSync(join(dist, file), "utf8")).map(({ specifier }) => specifier);
    expect(imported.filter((specifier) => !/^(?:node:|\.{1,2}\/.*\.thread\.js$)/.test(specifier))).toEqual([]);
  }
  const cases = [
    { file: "read-folders", requests: [{ op: "look", files: ["missing"], folders: [package_] }] },
    {
      file: "digest",
      requests: [1, 2].map((id) => ({ job: 1, op: id === 1 ? "start" : "finish", algorithms: ["md5", "crc64nvme"] })),
    },
  ];
  const answers = cases.map(async ({ file, requests }) => {
    const path = files.find((name) => name.endsWith(`/${file}.thread.js`));
    const worker = new Worker(join(dist, path ?? file), { workerData: package_ });
    for (const [i, request] of requests.entries()) worker.postMessage({ id: i + 1, request });
    let answer: unknown;
    for (const _ of requests) [answer] = await once(worker, "message");
    await worker.terminate();
    return answer;
  });
  expect(await Promise.all(answers)).toEqual([
    { daypass: "answer", id: 1, value: { files: [undefined], folders: [expect.stringMatching(/^\d+:\d+:\d+$/)] } },
    {
      daypass: "answer",
      id: 2,
      value: [createHash("md5").digest(), new Uint8Array(8)].map((digest) => Uint8Array.from(digest)),
    },
  ]);
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as Manifest;
  expect(scripts?.["build"]).toContain("tools/copy-threads.mjs");
});

test("each SBOM has another number", () => {
  const numbers = published.map((path) => sbomOf(path, described).serialNumber);
  expect(new Set(numbers).size).toBe(published.length);
});

test("the SBOM of what depends on another of ours has the digest of its tarball", () => {
  const tarball = tarballs.get("packages/daypass") as string;
  const packed = new Map([[`daypass@${manifestOf(tarball).version}`, tarball]]);
  const { components } = sbomOf("packages/gateway", described, packed);
  const digest = execFileSync("sha512sum", [tarball], { encoding: "utf8" }).slice(0, 128);
  const ours = components.find(({ "bom-ref": ref }) => ref.startsWith("daypass@"));
  expect(ours?.hashes).toEqual([{ alg: "SHA-512", content: digest }]);
});

describe("npm publish", () => {
  /** A registry that takes whatever it is sent. */
  const registry = async () => {
    const uploads: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      if (request.method === "PUT") uploads.push(request.url);
      request.resume();
      response
        .writeHead(request.method === "PUT" ? 200 : 404, { "content-type": "application/json", connection: "close" })
        .end("{}");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    return { uploads, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  };

  const publish = async (host: string) => {
    const home = join(folder, "home");
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, ".npmrc"), `//${host}/:_authToken=none\n`);
    // The smallest of the three: npm unpacks it.
    const tarball = tarballs.get("packages/cli") as string;
    // Not in CI, whatever runs the test: there it would ask for a certificate of its run.
    const env = {
      PATH: process.env["PATH"],
      HOME: home,
      npm_config_cache: join(home, "cache"),
      npm_config_update_notifier: "false",
    };
    const child = spawn("npm", ["publish", tarball, `--registry=http://${host}`], {
      cwd: home,
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk;
    });
    const [status] = await once(child, "close");
    return { status, stderr };
  };

  test("uploads nothing without provenance", async () => {
    const { uploads, host } = await registry();
    const { status, stderr } = await publish(host);
    expect([status, uploads, stderr]).toEqual([1, [], expect.stringContaining("provenance")]);
  }, 60_000);
});
