import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { AWS, DIST, nodeCommand, temporaryFolder } from "./command.ts";

// Runs the documented commands block by block in a shell.

const root = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const pages = ["", "docs/", "docs/guide/", "docs/drivers/", "docs/schemes/", "packages/cli/"].flatMap((folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => folder + name),
);

/** Commands that a test cannot run: placeholders, servers, links to routes of a running gateway, requests to other hosts, and a secret for a terminal. */
const LEFT_OUT = /…|\bserve\b|npm |\bnode |--all s3:|\bdoctor\b|journalctl|--batch manifest|keys create url|route:/;

const blocks = pages.flatMap((page) =>
  [...read(page).matchAll(/^```sh\n([\s\S]*?)\n```/gm)]
    .map(([, code = ""]) => code.replaceAll('"secret":"…"', '"secret":"secret"').split("\n"))
    .map((lines) => lines.filter((line) => !LEFT_OUT.test(line)))
    .filter((lines) => lines.some((line) => /\bdaypass/.test(line)))
    .map((lines, i) => ({ name: `${page}, commands ${i + 1}`, code: lines.join("\n") })),
);

/** The keys of a reader. */
const env = {
  PATH: process.env["PATH"],
  ...AWS,
  AWS_REGION: "eu-west-1",
  AZURE_STORAGE_ACCOUNT: "myaccount",
  AZURE_STORAGE_KEY: Buffer.alloc(32).toString("base64"),
  GOOGLE_APPLICATION_CREDENTIALS: "google.json",
  DAYPASS_KEY: JSON.stringify({ kty: "oct", kid: "k1", alg: "HS256", k: Buffer.alloc(32).toString("base64url") }),
  URL: "https://files.example.com/s/a.pdf?md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647",
};
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const google = { type: "service_account", client_email: "a@b.iam.gserviceaccount.com", private_key: privateKey };

/** The files that the commands read. */
function folderOfAReader(): string {
  const folder = temporaryFolder();
  for (const name of ["files", "logs"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "files/readme.txt"), "hello");
  writeFileSync(join(folder, "logs/access.log"), "GET / 200\n");
  writeFileSync(join(folder, "keys.csv"), "key\na.png\n");
  writeFileSync(join(folder, "body.xml"), "<Error><Code>AccessDenied</Code></Error>");
  writeFileSync(join(folder, "google.json"), JSON.stringify(google));
  return folder;
}

const SETUP = `daypass keys create --state files --out served.credentials
git init -q && git add logs && git -c user.name=a -c user.email=a@b.c commit -qm a && git tag v1
`;
const SHELL = `set -e; daypass() { ${nodeCommand} "$@"; }; npx() { shift; daypass "$@"; }; seq() { command seq -f "$2" 10; }
${SETUP}`;

test.each(blocks)("runs $name", { timeout: 60_000 }, ({ code }) => {
  const cwd = folderOfAReader();
  const { status, stderr } = spawnSync("bash", ["-c", SHELL + code], {
    cwd,
    env: { ...env, HOME: cwd },
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, expect.anything()]);
});

test("has the linked command before the build", () => {
  const { bin } = JSON.parse(read("packages/cli/package.json")) as { readonly bin: { readonly daypass: string } };
  expect(bin.daypass).not.toMatch(/^dist/);
  expect(existsSync(fileURLToPath(new URL(`packages/cli/${bin.daypass}`, root)))).toBe(true);
});

test("prints commands with the name of the package for npx", { timeout: 60_000 }, async () => {
  const cwd = folderOfAReader();
  const command = join(cwd, "node_modules/.bin/daypass");
  mkdirSync(dirname(command), { recursive: true });
  symlinkSync(DIST, command);
  const child = spawn(process.execPath, [command, "serve", "files", "--port", "0"], {
    cwd,
    env: { ...env, HOME: cwd },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    if (child.kill()) await once(child, "exit");
  });
  let printed = "";
  for await (const chunk of child.stdout) {
    printed += chunk;
    if (printed.includes("Ctrl-C")) break;
  }
  expect(printed).toContain("npx @daypass/cli sign s3://files/readme.txt ");
});

test("no page calls the command by the name of the library, which has none", () => {
  expect(pages.filter((page) => /\bnpx daypass\b/.test(read(page)))).toEqual([]);
});
