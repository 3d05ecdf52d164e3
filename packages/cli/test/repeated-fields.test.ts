import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypass, jsonLines, parseLines, temporaryFolder } from "./command.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const s3Line = { scheme: "s3", region: "us-east-1", bucket: "media", key: "a.txt", credentials, expiresIn: 900 };
const pinned = { ...s3Line, signedAt: "2026-01-02T03:04:05Z" };

test("rejects a repeated field at any depth", async () => {
  const text = JSON.stringify(pinned);
  const twice = [
    text.replace("{", '{"expiresIn":60,'),
    text.replace("{", '{"expiresIn" :60,'),
    text.replace("{", '{"expires\\u0049n":60,'),
    text.replace('"credentials":{', '"credentials":{"secretAccessKey":"x",'),
    text.replace("{", '{"headers":{"x-amz-acl":"private","x-amz-acl":"public-read"},'),
    text.replace("{", '{"__proto__":1,"__proto__":2,'),
  ];
  const once = [
    text,
    text.replaceAll('":', '"\t : '),
    JSON.stringify({ ...pinned, key: '{"a":1,"a":2}', query: { a: ['"x":"y":', "b"], b: "c" } }),
    JSON.stringify({ ...pinned, headers: { "x-amz-meta-a": "expiresIn", "x-amz-meta-b": '\\"' } }),
  ];
  const { stdout } = await daypass(["sign", "--batch", "-"], { input: `${[...twice, ...once].join("\n")}\n` });
  const answers = parseLines<{ readonly error?: { readonly message: string } }>(stdout);
  const message = expect.stringContaining("the line names a field twice");
  expect(answers.slice(0, twice.length).map(({ error }) => error?.message)).toEqual(twice.map(() => message));
  expect(answers.slice(twice.length).map(({ error }) => error)).toEqual(once.map(() => undefined));
});

test("rejects a repeated field in --defaults and in a JSON cell", async () => {
  const folder = temporaryFolder();
  const defaults = join(folder, "defaults.json");
  writeFileSync(defaults, JSON.stringify(pinned).replace("{", '{"expiresIn":60,'));
  const given = await daypass(["sign", "--batch", "-", "--defaults", defaults], { input: "{}\n" });
  expect([given.status, given.stderr]).toEqual([1, expect.stringContaining(`${defaults} names a field twice`)]);
  const cells = `key,headers:json\na,"{""x-amz-acl"":""private"",""x-amz-acl"":""public-read""}"\n`;
  const { stdout } = await daypass(["sign", "s3://media", "--batch", "-", "--format", "csv"], { input: cells });
  expect(stdout).toContain("names a field twice");
});

test("accepts a colon in a text cell and deeply nested lists", async () => {
  const defaults = join(temporaryFolder(), "defaults.json");
  writeFileSync(defaults, JSON.stringify({ ...pinned, key: undefined }));
  const csv = ["sign", "--batch", "-", "--format", "csv", "--defaults", defaults];
  expect((await daypass(csv, { input: 'key:json\n"""a: 1.txt"""\n' })).stdout).toContain("/a%3A%201.txt?");
  const depth = 20_000;
  const input = jsonLines([pinned]).replace('"a.txt"', "[".repeat(depth) + "]".repeat(depth));
  expect((await daypass(["sign", "--batch", "-"], { input })).stdout).toContain("key is a list. Pass a string");
});

test("rejects a repeated part of a request", async () => {
  const request = '"request":{"method":"GET","method":"PUT","url":"https://b.s3.amazonaws.com/a"}';
  const input = `{${request},"schemes":[{"scheme":"s3","credentials":{"accessKeyId":"a","secretAccessKey":"b"}}]}\n`;
  const { stdout } = await daypass(["verify", "--batch", "-"], { input });
  const message = expect.stringContaining("the line names a field twice");
  expect(parseLines(stdout)).toEqual([{ ok: false, code: "INVALID_INPUT", message }]);
});
