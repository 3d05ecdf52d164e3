import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { daypass, daypassProcess, temporaryFolder } from "./command.ts";
import { NOW, scan, url } from "./scanning.ts";

test("reads UTF-16 of both byte orders, with and without a byte order mark", async () => {
  const little = Buffer.from(`é\r\n${url("a")}\r\n`, "utf16le");
  const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), little]);
  for (const bytes of [marked, Buffer.from(marked).swap16(), little, Buffer.from(little).swap16()]) {
    const { status, found } = await scan(["-"], bytes);
    expect([status, found.map(({ life, line }) => [life, line])]).toEqual([1, [["live", 2]]]);
  }
});

test("scans a folder with compressed files, and skips .git and links to folders", async () => {
  const root = temporaryFolder();
  mkdirSync(join(root, "logs"));
  writeFileSync(join(root, "logs", "app.log"), `\n\n${url("a")}\n`);
  writeFileSync(join(root, "logs", "old.log.gz"), gzipSync(`\n${url("b")}\n`));
  writeFileSync(join(root, "binary"), Buffer.concat([Buffer.from([0, 0xff, 0xfe]), Buffer.from(url("c"))]));
  writeFileSync(join(root, "again.txt"), url("a"));
  mkdirSync(join(root, ".git"));
  writeFileSync(join(root, ".git", "config"), url("d"));
  symlinkSync(join(root, "logs"), join(root, "link"));
  const { status, found } = await scan([root]);
  expect(status).toBe(1);
  expect(found.map(({ file, line, resource }) => [file.slice(root.length + 1), line, resource])).toEqual([
    ["again.txt", 1, "object a in bucket media"],
    ["binary", 1, "object c in bucket media"],
    [join("logs", "old.log.gz"), 2, "object b in bucket media"],
  ]);
  expect((await scan([join(root, "logs", "old.log.gz"), "--live"])).found).toHaveLength(1);
  writeFileSync(join(root, "broken.gz"), "no gzip");
  expect((await scan([join(root, "broken.gz")])).status).toBe(1);
});

test("follows links to files only", async () => {
  const [root, elsewhere] = [temporaryFolder(), temporaryFolder()];
  writeFileSync(join(elsewhere, "0.log"), `${url("a")}\n`);
  for (const [name, target] of Object.entries({
    "app.log": "0.log",
    folder: ".",
    gone: "none",
  }))
    symlinkSync(join(elsewhere, target), join(root, name));
  symlinkSync("circle", join(root, "circle"));
  execFileSync("mkfifo", [join(elsewhere, "pipe")]);
  symlinkSync(join(elsewhere, "pipe"), join(root, "pipe"));
  const { status, found, stderr } = await scan([root]);
  expect([status, found.map(({ file }) => file)]).toEqual([1, [join(root, "app.log")]]);
  expect(stderr).not.toContain("not read");
});

test("scans in a process with frozen intrinsics", async () => {
  const env = { NODE_OPTIONS: "--frozen-intrinsics --no-warnings" };
  const { status, stderr } = await daypassProcess(["scan", "-", "--at", NOW], { input: url("a"), env });
  expect([status, stderr]).toEqual([1, expect.stringContaining("1 live")]);
});

test("continues after damaged, empty and truncated gzip files", async () => {
  const root = temporaryFolder();
  writeFileSync(join(root, "a.gz"), "no gzip");
  writeFileSync(join(root, "b.gz"), "");
  writeFileSync(join(root, "c.gz"), gzipSync(url("c").repeat(9)).subarray(0, -9));
  writeFileSync(join(root, "d.log"), url("d"));
  const { status, stderr, found } = await scan([root]);
  expect([status, found.map(({ file }) => file)]).toEqual([1, [join(root, "d.log")]]);
  for (const name of ["a.gz", "b.gz", "c.gz"]) expect(stderr).toContain(`${join(root, name)} (damaged`);
});

test.skipIf(process.getuid?.() === 0)("continues after a folder without read permission", async () => {
  const root = temporaryFolder();
  mkdirSync(join(root, "a"), { mode: 0 });
  writeFileSync(join(root, "b"), url("b"));
  const { status, stderr, found } = await scan([root]);
  expect([status, stderr, found.length]).toEqual([1, expect.stringContaining("a (EACCES)"), 1]);
});

test.skipIf(process.getuid?.() === 0)("continues after a file without read permission", async () => {
  const root = temporaryFolder();
  writeFileSync(join(root, "a"), "");
  chmodSync(join(root, "a"), 0);
  writeFileSync(join(root, "b"), url("b"));
  const { status, stderr, found } = await scan([root]);
  expect([status, found.length, stderr]).toEqual([1, 1, expect.stringContaining("EACCES")]);
});

test("scans removed lines and messages of a Git history", async () => {
  const repo = temporaryFolder();
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      encoding: "utf8",
    }).trim();
  git("init", "-q");
  const commit = (message: string, files: Readonly<Record<string, string>>): string => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(repo, name), text);
    git("add", "-A");
    git("commit", "-q", "-m", message);
    return git("rev-parse", "HEAD");
  };
  const first = commit("one", { "été.md": `\n${url("first")}\n` });
  commit("two", { "été.md": "gone\n" });
  git("checkout", "-q", "-b", "side", first);
  const side = commit(`see ${url("message")}`, { "b.txt": `${url("side", 60)}\n` });
  git("checkout", "-q", "-");
  const all = await scan(["--git", "--repo", repo]);
  expect(all.status).toBe(1);
  expect(new Set(all.found.map(({ commit: of, file, life, resource }) => `${of} ${file} ${life} ${resource}`))).toEqual(
    new Set([
      `${side} (message) live object message in bucket media`,
      `${side} b.txt ended object side in bucket media`,
      expect.stringMatching(/été\.md live object first in bucket media$/),
    ]),
  );
  const range = await scan(["--git", "HEAD~1..HEAD", "--repo", repo]);
  expect(range.found.map(({ file }) => file)).toEqual(["été.md"]);
  expect((await scan(["--git", "side", "--repo", repo])).found).toHaveLength(3);
  expect((await scan(["--git", "nothing..here", "--repo", repo])).status).toBe(1);
  expect((await scan(["--git", "HEAD", "--repo", temporaryFolder()])).status).toBe(1);
});

test("scans the repository of --repo with its first commit, also in a hook of another repository", async () => {
  const [repo, other] = [temporaryFolder(), temporaryFolder()];
  for (const folder of [repo, other]) execFileSync("git", ["-C", folder, "init", "-q"]);
  writeFileSync(join(repo, "a"), `${url("a")}\n`);
  const git = ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.com"];
  execFileSync("git", [...git, "add", "-A"]);
  execFileSync("git", [...git, "commit", "-q", "-m", "one"]);
  execFileSync("git", [...git, "config", "log.showRoot", "false"]);
  const env = { GIT_DIR: join(other, ".git") };
  const { status, stderr } = await daypass(["scan", "--git", "--repo", repo, "--at", NOW], { env });
  expect([status, stderr]).toEqual([1, expect.stringContaining("1 live")]);
});

test("finds a URL in the history of a UTF-16 file", async () => {
  const repo = temporaryFolder();
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args]);
  git("init", "-q");
  const little = Buffer.from(`\ufeff${url("little")}\r\nmore\r\n`, "utf16le");
  writeFileSync(join(repo, "a"), little);
  writeFileSync(join(repo, "b"), Buffer.from(`\ufeffmore\n${url("big")}\n`, "utf16le").swap16());
  git("add", "-A");
  git("commit", "-q", "-m", "one");
  const { found } = await scan(["--git", "--repo", repo]);
  expect(found.map(({ life, file, resource }) => [life, file, resource])).toEqual([
    ["live", "a", "object little in bucket media"],
    ["live", "b", "object big in bucket media"],
  ]);
});
