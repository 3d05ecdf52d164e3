import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AWS, daypass, temporaryFolder } from "./command.ts";

const env = { ...AWS, AWS_REGION: "us-east-1" };
const URL_TO_READ = "https://a.example/x?X-Amz-Signature=a";

test.each([
  ["sign", "s3://b/k", "--expires-at", "2026"],
  ["sign", "s3://b/k", "--expires-in", "abc"],
  ["sign", "s3://b/k", "--at", "nope"],
  ["sign", "s3://b/k", "--method", "get"],
  ["sign", "s3://b/k", "--endpoint", "nope"],
  ["sign", "https://a.example/x", "--method", "GET,PUT"],
  ["sign", "https://a.example/x", "--starts", "nope"],
  ["sign", "gs://b/k", "--starts", "nope"],
  ["sign", "--batch", "-", "--endpoint", "nope"],
  ["sign", "--batch", "-", "--method", "get"],
  ["doctor", "s3://b", "--endpoint", "nope"],
  ["verify", URL_TO_READ, "--at", "nope"],
  ["explain", URL_TO_READ, "--at", "nope"],
  ["scan", "-", "--at", "nope"],
  ["sign", "https://a.example/x", "--at", "9999-12-31T23:59:59-01:00"],
  // Of a variable that is not set.
  ["sign", "s3://b/k", "--expires-at", ""],
  ["verify", URL_TO_READ, "--at", ""],
  ["verify", URL_TO_READ, "--state", ""],
  ["keys", "list", "--state", ""],
  ["serve", ".", "--state", ""],
  ["serve", ".", "--host", ""],
  ["scan", "-", "--at", ""],
  ["scan", "--git", "--repo", ""],
  ["sign", "s3://b/k", "--sha256", "nope"],
  ["sign", "https://a.example/x", "--ip", "nope"],
  ["sign", "--batch", "-", "--sha256", "nope"],
  ["verify", URL_TO_READ, "--remote-address", "nope"],
  ["verify", URL_TO_READ, "--method", "put"],
  ["verify", URL_TO_READ, "--origin", "nonsense"],
  ["explain", URL_TO_READ, "--method", "put"],
  ["explain", URL_TO_READ, "--remote-address", "nope"],
  ["explain", URL_TO_READ, "--body-sha256", "nope"],
  ["explain", URL_TO_READ, "--origin", "nonsense"],
  ["doctor", "s3://b", "--origin", "nonsense"],
  ["doctor", "s3://b/", "--origin", "nonsense"],
])("is told as wrong usage: %s %s %s %s", async (...args) => {
  const { status, stdout, stderr } = await daypass(args, { env });
  const option = args.findLast((word) => word.startsWith("--"));
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining(`expected ${option} as`)]);
});

test.each([
  ["sign", "s3://b/k", "--expires-in", "999999999w"],
  ["sign", "s3://b/k", "--stable-window", "36501d"],
  ["keys", "create", "--max-life", "999999999w"],
  ["keys", "rotate", "ID", "--state", ".", "--overlap", "999999999w"],
])("takes no duration beyond a century: %s", async (...args) => {
  const { status, stderr } = await daypass(args, { env });
  expect([status, stderr]).toEqual([2, expect.stringContaining("of at most 36500d")]);
});

test.each(["s3://media/", "gs://media/", "az://account/media/"])("makes no URL for the whole of %s", async (target) => {
  const { status, stdout, stderr } = await daypass(["sign", target, "--method", "DELETE"], { env });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining("found none")]);
});

test.each(["s3://media/", "gs://media/", "az://account/media/"])(
  "takes %s for what a batch has in common",
  async (target) => {
    const { status, stdout, stderr } = await daypass(["sign", target, "--batch", "-"], { input: "" });
    expect([status, stdout, stderr]).toEqual([0, "", expect.not.stringContaining("expected")]);
  },
);

test.each(["verify", "explain"])("%s names the file of AWS that was named and cannot be read", async (command) => {
  const folder = temporaryFolder();
  const { status, stderr } = await daypass([command, URL_TO_READ], { env: { AWS_CONFIG_FILE: folder } });
  expect([status, stderr]).toEqual([1, expect.stringContaining("expected AWS_CONFIG_FILE to name a file")]);
});

test("is told as wrong usage, and as no refusal: verify --schemes with a scheme that is none", async () => {
  const input = '{"scheme":"nope"}';
  const { status, stdout, stderr } = await daypass(["verify", URL_TO_READ, "--schemes", "-"], { env, input });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining("expected scheme")]);
});

test.each([
  ["sign", "https://a.example/x", "--audience", "a", "--audience", "b"],
  ["sign", "s3://b/k", "--expires-in", "1h", "--expires-in=2h"],
  ["sign", "s3://b/k", "--region", "a", "--region", "b"],
  ["verify", URL_TO_READ, "--at", "2026-01-02T03:04:05Z", "--at", "2026-01-02T03:04:05Z"],
])("refuses an option that is given twice and counts once: %s %s %s %s", async (...args) => {
  const { status, stdout, stderr } = await daypass(args, { env });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining(`${args[2]} once`)]);
});

test("names what to do in its own options", async () => {
  const region = await daypass(["sign", "s3://b/k"], { env: AWS });
  expect([region.status, region.stderr]).toEqual([1, expect.stringMatching(/--region .*AWS_REGION/)]);
  const config = join(temporaryFolder(), "config");
  const end = new Date(Date.now() + 60_000).toISOString();
  const json = `{"Version":1,"AccessKeyId":"a","SecretAccessKey":"s","SessionToken":"t","Expiration":"${end}"}`;
  writeFileSync(config, `[default]\nregion = x\ncredential_process = echo '${json}'\n`);
  const late = await daypass(["sign", "s3://b/k"], { env: { AWS_CONFIG_FILE: config } });
  expect([late.status, late.stderr]).toEqual([1, expect.stringContaining("--clamp")]);
});

test("sends a directory bucket elsewhere before anything is sent", async () => {
  const { status, stderr } = await daypass(["doctor", "s3://media--use1-az4--x-s3"], { env });
  expect([status, stderr]).toEqual([2, expect.stringMatching(/directory bucket .*create-session/)]);
});

test("shows nothing of an endpoint that is none, which may hold a password", async () => {
  const { stderr } = await daypass(["sign", "s3://b/k", "--endpoint", "user:secret@host"], { env });
  expect(stderr).not.toContain("secret");
});

test.each([[["foo", "--json"]], [["--json"]], [["--json", "sign"]]])("answers %j in JSON", async (args) => {
  const { status, stdout, stderr } = await daypass(args);
  expect([status, stderr]).toEqual([2, ""]);
  expect(JSON.parse(stdout)).toEqual({ error: { code: "USAGE", message: expect.stringContaining("a command") } });
});

test("tells a person where the commands are listed", async () => {
  const { status, stdout, stderr } = await daypass(["foo"]);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toBe('daypass: expected a command, found "foo"; see daypass --help\n');
});

test.each([
  [["--nope"], "expected a known option, found --nope"],
  [["-x"], "expected a known option, found -x"],
  [["--expires-in"], "expected a value behind --expires-in, found none"],
  [["--expires-in", "-1"], "write --expires-in=-1"],
  [["--out", "--strict"], "expected a value behind --out, found --strict"],
  [["--json=1"], "expected --json without a value"],
])("says of %j what was expected", async (args, said) => {
  const { status, stderr } = await daypass(["sign", "s3://b/k", ...args], { env });
  expect([status, stderr]).toEqual([2, expect.stringContaining(said)]);
});

test.each([
  [["sign", "https://a.example/x"], "DAYPASS_KEY_FILE"],
  [["explain", URL_TO_READ], "DAYPASS_KEY_FILE"],
  [["sign", "gs://b/k"], "GOOGLE_APPLICATION_CREDENTIALS"],
  [["explain", URL_TO_READ], "GOOGLE_APPLICATION_CREDENTIALS"],
  [["keys", "create", "--show-secret"], "DAYPASS_MASTER_KEY_FILE"],
])("%j says which variable names a folder, as Docker makes one of a file that is not there: %s", async (args, name) => {
  const { status, stderr } = await daypass(args, { env: { [name]: "." } });
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining(`expected ${name} to name a file, found at . a folder`),
  ]);
});

test("says which option names a folder in the place of the fields of all lines", async () => {
  const { status, stderr } = await daypass(["sign", "s3://b", "--batch", "-", "--defaults", "."]);
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining("expected --defaults to name a file, found at . a folder"),
  ]);
});

test.each(["verify", "explain"])("%s needs no home", async (command) => {
  const url = "https://a.example/x?md5=AAAAAAAAAAAAAAAAAAAAAA&expires=1";
  const file = join(temporaryFolder(), "schemes.json");
  writeFileSync(file, '{"scheme":"nginx","credentials":{"secret":"s"}}');
  const { stderr } = await daypass([command, url, "--schemes", file], { env: { HOME: "/dev/null" } });
  expect(stderr).toBe("");
});
