import { once } from "node:events";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { daypass, daypassProcess, start, temporaryFolder } from "./command.ts";
import { serve } from "./serving.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8", "user-agent": "Mozilla/5.0" };
const get = (url: string, init: RequestInit = {}) => fetch(url, { redirect: "manual", ...init });

function holiday(): string {
  const folder = join(temporaryFolder(), "holiday");
  mkdirSync(join(folder, "day 2"), { recursive: true });
  writeFileSync(join(folder, "a.txt"), "first");
  writeFileSync(join(folder, "day 2/b.txt"), "second");
  writeFileSync(join(folder, "film.mp4"), Buffer.alloc(64 * 1024 * 1024, "f"));
  return folder;
}

/** Runs `share --json` until its link is printed. */
async function share(
  path: string | readonly string[],
  env: Readonly<Record<string, string>> = {},
  ...args: readonly string[]
) {
  const child = start(["share", ...[path].flat(), ...args, "--port", "0", "--json"], { env });
  onTestFinished(() => void child.kill("SIGTERM"));
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { child, link: JSON.parse(line) as { id: string; url: string; target?: string; targets?: string[] } };
}

/** Runs `daypass links` in an empty folder, because the command asks the state of its folder first. */
const links = async (env: Readonly<Record<string, string>>, ...args: readonly string[]) => {
  const { status, stdout, stderr } = await daypassProcess(["links", ...args, "--json"], { env });
  expect([status, stderr, status === 0 ? "" : stdout]).toEqual([0, "", ""]);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
};

test("share prints a link to a folder, whose listing opens what it lists", async () => {
  const folder = holiday();
  const { link } = await share(folder);
  const root = (await get(link.url, { headers: BROWSER })).headers.get("location") ?? "";
  const listing = await (await get(new URL(root, link.url).href, { headers: BROWSER })).text();
  expect(listing).toContain("<bdi>holiday</bdi>");
  const [, href = ""] = /href="([^"]*a\.txt)"/.exec(listing) ?? [];
  expect(await (await get(new URL(href, link.url).href)).text()).toBe("first");
  // A folder in the folder is neither left out of the listing nor of the zip.
  expect(link.target).toBe("holiday/");
  expect(listing).toContain("<bdi>day 2</bdi>");
  expect(await (await get(`${link.url}/day%202/b.txt`)).text()).toBe("second");
});

test("share says how many hidden names it leaves out, and that a hidden file which was named is shared", async () => {
  const folder = holiday();
  mkdirSync(join(folder, "day 2/.git/objects"), { recursive: true });
  for (const name of [".env", "day 2/.git/config"]) writeFileSync(join(folder, name), "secret");
  const HOME = temporaryFolder();
  const { link } = await share(folder, { HOME });
  expect((await get(`${link.url}/.env`)).status).toBe(404);
  const again = async (...args: readonly string[]) =>
    (await daypass(["share", ...args, "--json"], { env: { HOME } })).stderr;
  expect(await again(folder)).toContain("2 hidden files or folders are left out");
  expect(await again(folder, "--hidden")).toBe("");
  expect(await again(join(folder, ".env"))).toContain(
    ".env is a hidden file. The link shares it, because you named it.",
  );
});

test("links create says the same of a prefix on a disk and of a hidden file, and nothing of a prefix elsewhere", async () => {
  const folder = holiday();
  for (const name of [".env", "day 2/.env", "day 2/.git"]) writeFileSync(join(folder, name), "secret");
  const note = async (target: string, ...args: readonly string[]) =>
    (await daypass(["links", "create", target, "--state", join(folder, ".daypass"), ...args])).stderr.trim();
  const gateway = await serve(folder, "--port", "0");
  expect(await note("day 2/")).toMatch(/^2 hidden files or folders are left out, .* add --hidden\.$/);
  expect(await note("files/")).toMatch(/^1 hidden/);
  expect(await note("day 2/", "--hidden")).toBe("");
  expect(await note("day 2/.env")).toBe(".env is a hidden file. The link shares it, because you named it.");
  expect(await note("day 2/b.txt")).toBe("");
  expect(await note("day 2/.env", "day 2/")).toMatch(/^\.env is a hidden file\. .*\n2 hidden files or folders/);
  const several = (...names: readonly string[]) =>
    daypass(["share", ...names.map((name) => join(folder, name)), "--json"]);
  expect(JSON.parse((await several("a.txt", "film.mp4")).stdout).targets).toEqual(["files/a.txt", "files/film.mp4"]);
  const refused = await several("a.txt", "day 2");
  expect(refused.status).toBe(1);
  expect(refused.stdout).toContain("files/a.txt and day 2/ in two buckets, and a link is for one");
  await gateway.stop();
  expect(await note("day 2/")).toBe("");
});

test("share of several paths is one link to all of them, as is links create", async () => {
  const folder = holiday();
  for (const name of [".env", ".npmrc", "day 2/.env"]) writeFileSync(join(folder, name), "secret");
  const paths = (...names: readonly string[]) => names.map((name) => join(folder, name));
  const HOME = temporaryFolder();
  const { link } = await share(paths("a.txt", "film.mp4", "day 2"), { HOME });
  expect(link.targets).toEqual(["holiday/a.txt", "holiday/film.mp4", "holiday/day 2/"]);
  const opened = async (path: string) => (await get(link.url + path)).text();
  expect([await opened("/a.txt"), await opened("/day%202/b.txt")]).toEqual(["first", "second"]);
  expect((await get(`${link.url}/.env`)).status).toBe(404);
  const again = await daypass(["share", ...paths("a.txt", ".env", ".npmrc", "day 2")], { env: { HOME } });
  expect(again.stdout).toMatch(/^http.*\n3 files and 1 folder\nopen, not counted/);
  expect(again.stderr).toContain(
    ".env, .npmrc are hidden files. The link shares them, because you named them.\n1 hidden",
  );
  const [made] = await links({ HOME }, "create", "holiday/a.txt", "s3://holiday/day 2/", "--hidden");
  expect([made.kind, made.targets]).toEqual(["set", ["holiday/a.txt", "holiday/day 2/"]]);
  const list = await daypass(["links", "list"], { env: { HOME } });
  expect(list.stdout).toContain("1 file and 1 folder");
  const missing = await daypass(["share", ...paths("a.txt", "none")], { env: { HOME } });
  expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining("there is no none in")]);
  expect((await daypass(["links", "show", "a", "b"], { env: { HOME } })).status).toBe(2);
});

test("share takes options that the running gateway fulfils already", async () => {
  const folder = holiday();
  const first = await share(folder, {}, "--origin", "https://files.example.com");
  const again = (...args: readonly string[]) => daypass(["share", join(folder, "a.txt"), "--json", ...args]);
  expect(first.link.url).toMatch(/^https:\/\/files\.example\.com\/l\//);
  expect((await again("--lan", "--origin", "https://files.example.com/")).status).toBe(0);
  expect((await again("--origin", "https://other.example.com")).status).toBe(1);
  expect((await again("--port", "8080")).status).toBe(1);
});

test("share finds the gateway of an earlier share, and links finds it without --state", async () => {
  const folder = holiday();
  const HOME = temporaryFolder();
  const first = await share(folder, { HOME });
  const [again] = await links({ HOME }, "list");
  expect(again).toMatchObject({ id: first.link.id, target: "holiday/" });
  const { stdout } = await daypass(["share", join(folder, "film.mp4"), "--json"], { env: { HOME } });
  expect(JSON.parse(stdout)).toMatchObject({ target: "holiday/film.mp4" });
  const other = temporaryFolder();
  writeFileSync(join(other, "b.txt"), "b");
  await share(join(other, "b.txt"), { HOME });
  const several = await daypassProcess(["links", "list"], { env: { HOME } });
  expect([several.status, several.stderr]).toEqual([1, expect.stringContaining("several gateways run")]);
  const none = await daypassProcess(["links", "list"]);
  expect([none.status, none.stderr]).toEqual([1, expect.stringContaining("--state")]);
});

test("share of a file beside a folder named files delivers the file", async () => {
  const folder = holiday();
  mkdirSync(join(folder, "files"));
  const { link } = await share(join(folder, "a.txt"));
  expect([link.target, await (await get(link.url)).text()]).toEqual(["holiday/a.txt", "first"]);
});

test("share finds a gateway that was started on a symbolic link to its folder", async () => {
  const folder = holiday();
  const other = join(temporaryFolder(), "link");
  symlinkSync(folder, other);
  await serve(other, "--port", "0");
  const { stdout } = await daypass(["share", join(other, "a.txt"), "--json"]);
  expect(JSON.parse(stdout).target).toBe("files/a.txt");
});

test("share refuses what the running gateway would leave out, and options that it would ignore", async () => {
  const folder = holiday();
  await serve(folder, "--port", "0");
  const whole = await daypass(["share", folder]);
  expect([whole.status, whole.stderr]).toEqual([1, expect.stringContaining(join(folder, "day 2"))]);
  const moved = await daypass(["share", join(folder, "a.txt"), "--origin", "https://files.example.com"]);
  expect([moved.status, moved.stderr]).toEqual([
    1,
    expect.stringContaining("--origin, --lan and --port have no effect"),
  ]);
});

test("share ends when the link is refused, and takes the next port if 8080 is in use", async () => {
  const folder = holiday();
  const refused = await daypassProcess(["share", folder, "--port", "0", "--network", "none"]);
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("none is not a network")]);
  const taken = createServer()
    .on("error", () => undefined)
    .listen(8080, "127.0.0.1");
  onTestFinished(() => void taken.close());
  const child = start(["share", folder, "--json"]);
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  expect((await get(`${JSON.parse(line).url}/a.txt`)).status).toBe(200);
});

test("share of a file with --max-deliveries 1 delivers once, by the button of its page", async () => {
  const { link } = await share(join(holiday(), "film.mp4"), {}, "--max-deliveries", "1");
  const page = await (await get(link.url, { headers: BROWSER })).text();
  const claim = /name="claim" value="([\w-]+)"/.exec(page)?.[1] ?? "";
  const pressed = await get(link.url, { method: "POST", headers: BROWSER, body: new URLSearchParams({ claim }) });
  const delivered = await get(new URL(pressed.headers.get("location") ?? "", link.url).href);
  expect((await delivered.arrayBuffer()).byteLength).toBe(64 * 1024 * 1024);
  const second = await get(link.url, { headers: BROWSER });
  expect([second.status, await second.text()]).toEqual([410, expect.stringContaining("This link is used up")]);
});

test("links revoke cuts a running transfer in every worker, and a restart keeps it revoked", async () => {
  const folder = holiday();
  const first = await serve(folder, "--port", "0", "--workers", "2");
  const state = join(folder, ".daypass");
  const [link] = await links({}, "create", "files/film.mp4", "--state", state);
  const slow = await get(link.url);
  const reader = slow.body?.getReader();
  await reader?.read();
  await links({}, "revoke", link.id, "--state", state);
  const rest = async (): Promise<number> => {
    for (let bytes = 0; ; ) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) return bytes;
      bytes += value?.length ?? 0;
    }
  };
  await expect(rest()).rejects.toThrow();
  expect((await get(link.url)).status).toBe(410);
  await first.stop();
  const again = await serve(folder, "--port", "0");
  const moved = link.url.replace(/^http:\/\/[^/]+/, again.said.url);
  expect((await get(moved)).status).toBe(410);
  await links({}, "restore", link.id, "--state", state);
  expect((await get(moved, { headers: { range: "bytes=0-9" } })).status).toBe(206);
  expect((await links({}, "list", "--state", state)).map(({ id, status }) => [id, status])).toEqual([
    [link.id, "open"],
  ]);
});

test("revoke takes a presigned URL, a key or a prefix, revocations lists and lifts it", async () => {
  const folder = holiday();
  const { said } = await serve(folder, "--port", "0");
  const state = ["--state", join(folder, ".daypass")];
  const revoke = async (...args: readonly string[]) => {
    const { status, stdout, stderr } = await daypass(["revoke", ...args, ...state, "--json"]);
    expect([status, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout).id as string;
  };
  const { presignedUrl: url } = said;
  expect((await get(url)).status).toBe(200);
  for (const args of [
    [url],
    ["--key", said.accessKeyId],
    ["--prefix", "files/"],
    ["--key", said.accessKeyId, "--before", "2100-01-01T00:00:00Z"],
  ]) {
    const id = await revoke(...args);
    expect((await get(url)).status).toBe(403);
    const { stdout } = await daypass(["revocations", "list", ...state]);
    expect(stdout).toContain(id);
    expect((await daypass(["revocations", "lift", id, ...state])).status).toBe(0);
    expect((await get(url)).status).toBe(200);
  }
  const { status: ended, stdout, stderr } = await daypass(["revoke", "--prefix", "files/old/", ...state]);
  expect([ended, stdout]).toEqual([0, expect.stringMatching(/^revoked prefix files\/old\/; id \w+\n$/)]);
  expect(stderr).toMatch(/^warning: .* sync .* takes? .*deleted/s);
});

test("links creates a link for the folder and the origin of the gateway that stopped", async () => {
  const folder = holiday();
  const state = temporaryFolder();
  const config = join(temporaryFolder(), "daypass.json");
  const settings = { publicUrl: "https://files.example.com", links: { origin: "https://share.example.com" } };
  writeFileSync(
    config,
    JSON.stringify({ root: folder, state, listen: { port: 0 }, ...settings, origins: [settings.links.origin] }),
  );
  await (await serve("--config", config)).stop();
  const [link] = await links({}, "create", "files/a.txt", "--state", state);
  expect(link.url).toMatch(/^https:\/\/share\.example\.com\/l\//);
});

test("links works without a running gateway, and the gateway then serves what it made", async () => {
  const folder = holiday();
  await (await serve(folder, "--port", "0")).stop();
  const state = join(folder, ".daypass");
  const { status, stdout } = await daypass([
    "links",
    "create",
    "files/a.txt",
    "--to",
    "Ann",
    "--to",
    "Ben",
    "--state",
    state,
    "--json",
  ]);
  const link = JSON.parse(stdout);
  expect([status, link.recipients.map(({ name }: { name: string }) => name).sort()]).toEqual([0, ["Ann", "Ben"]]);
});

test("links create takes paths as typed and names of the gateway, with the state above the path", async () => {
  const root = dirname(holiday());
  const state = join(root, ".daypass");
  mkdirSync(state, { mode: 0o700 });
  const film = join(root, "holiday/film.mp4");
  const made = async (cwd: string, target: string) => {
    const child = start(["links", "create", target, "--json"], { env: { HOME: root }, cwd: join(root, cwd) });
    const [line] = await once(createInterface({ input: child.stdout }), "line");
    const answer = JSON.parse(line);
    return answer.target ?? answer.error.message;
  };
  const targets = [
    ["", "holiday/film.mp4"],
    ["", "./holiday/film.mp4"],
    ["holiday/day 2", "../film.mp4"],
    ["holiday", "film.mp4"],
    ["holiday/day 2", "holiday/film.mp4"],
    ["", "s3://holiday/film.mp4"],
    ["holiday/day 2", film],
  ] as const;
  for (const [cwd, target] of targets) expect([target, await made(cwd, target)]).toEqual([target, "holiday/film.mp4"]);
  expect(await made("holiday", "day 2")).toBe("holiday/day 2/");
  expect(await made("holiday", "./film.mp3")).toBe("there is no film.mp3 in this folder. Did you mean film.mp4?");
  expect(await made("", "holiday/film.mp3")).toBe("there is no film.mp3 in holiday/. Did you mean film.mp4?");
  expect(await made("", "./holiday/film.mp4/")).toBe("holiday/film.mp4");
  expect(await made("", "../")).toMatch("is not below");
  mkdirSync(join(root, "holiday/holiday"));
  writeFileSync(join(root, "holiday/holiday/film.mp4"), "another");
  expect(await made("holiday", "holiday/film.mp4")).toMatch("Write ./holiday/film.mp4 or s3://holiday/film.mp4");
});

test("share refuses a missing path with the nearest one", async () => {
  const folder = holiday();
  expect((await daypass(["share", `${folder}/film.mp3`])).stderr).toMatch(
    /no film\.mp3 in .*holiday\. Did you mean film\.mp4\?/,
  );
  expect((await daypass(["share", `${folder}/day 3/`])).stderr).toMatch(/no day 3 in .*\. Did you mean day 2\?/);
  expect(existsSync(join(folder, ".daypass"))).toBe(false);
});
