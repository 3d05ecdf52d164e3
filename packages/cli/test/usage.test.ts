import { expect, test } from "vitest";
import { AWS, daypass } from "./command.ts";

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
])("is told as wrong usage: %s %s %s %s", async (...args) => {
  const { status, stdout, stderr } = await daypass(args, { env });
  const option = args.findLast((word) => word.startsWith("--"));
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining(`expected ${option} as`)]);
});

test.each(["s3://media/", "gs://media/", "az://account/media/"])("makes no URL for the whole of %s", async (target) => {
  const { status, stdout, stderr } = await daypass(["sign", target, "--method", "DELETE"], { env });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining("found none")]);
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
