import { expect, test } from "vitest";
import type { Grant, WireRequest } from "../../src/core/contracts.ts";
import type { S3Grant } from "../../src/schemes/s3/index.ts";
import { ENFORCES, everyVerifier } from "../every-verifier.ts";
import { decodeBytes, halves, host, type Judge, pairs, sorted, values } from "./judge.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

const collapsed = (text: string): string => text.replace(/[ \t]+/g, " ").trim();

/** SigV4 in a header: what it covers in a URL, and the header, whose fields may have spaces between them. */
const judgeHeader: Judge = (request) => {
  const [path, query] = halves(request.target);
  const fields = values(request, "authorization").map((value) => value.split(/,[ \t]*/).map(collapsed));
  const names = /SignedHeaders=([^,]+)/.exec(values(request, "authorization")[0] ?? "")?.[1]?.split(";") ?? [];
  return JSON.stringify([
    request.method,
    host(request.authority, "443"),
    decodeBytes(path),
    sorted(pairs(query)),
    names.filter((name) => name !== "host").map((name) => [name, values(request, name).map(collapsed)]),
    request.headers.map(([name]) => name.toLowerCase()).filter((name) => name.startsWith("x-amz-")),
    fields.map((list) => list.sort()),
  ]);
};

// "Target resources" of https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
const SUB_RESOURCE =
  /^(?:acl|cors|delete|lifecycle|location|logging|notification|partNumber|policy|requestPayment|tagging|torrent|uploadId|uploads|versionId|versioning|versions|website|response-.*)$/;

/** SigV2 in a header: method, un-decoded path, sub-resources, four headers and `x-amz-*`. Other parameters are open. */
const judgeV2Header: Judge = (request) => {
  const [path, query] = halves(request.target);
  const lines = request.headers
    .map(([name, value]) => `${name.toLowerCase()}:${collapsed(value)}`)
    .filter((line) => /^(?:content-md5|content-type|date|authorization|x-amz-(?!cf-id:).*):/.test(line));
  return JSON.stringify([
    request.method,
    host(request.authority, "443"),
    path,
    sorted(pairs(query).filter(([name]) => SUB_RESOURCE.test(name))),
    lines.sort(),
  ]);
};

test.each([
  { name: "s3/header", judge: judgeHeader },
  { name: "s3/v2/header", judge: judgeV2Header },
] as const)(
  "no tampered request of $name is accepted, and a re-spelled one gives the same grant or none",
  async ({ name, judge }) => {
    const row = everyVerifier.find((candidate) => candidate.name === name);
    if (row === undefined) throw new Error(`no row for ${name}`);
    const bases: readonly WireRequest[] = [await row.request()];
    const verifier = row.verifier(row.right, { enforces: ENFORCES });
    const count = tamperCount(name);
    const report = await tamper({ name, bases, count, verifier, judge, facts });
    expect(report.wrong.slice(0, 5)).toEqual([]);
    expect(report.thrown.slice(0, 5)).toEqual([]);
    expect(report.tampered).toBeGreaterThanOrEqual(count);
  },
  300_000,
);

/** The raw target differs by definition, and the holder may choose the parameters that SigV2 does not sign. */
function facts(grant: Grant): unknown {
  const { bucket, key, methods, id, expiresAt, obligations, signedHeaders } = grant as S3Grant;
  return { bucket, key, methods, id, expiresAt, obligations, signedHeaders };
}
