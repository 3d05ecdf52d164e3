import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { QueryToken } from "../../src/core/contracts.ts";
import { AWS4, canonicalQuery, signingKeys, v4Signature } from "../../src/core/v4.ts";
import { canonicalHeaders, readPath } from "../../src/schemes/s3/canonical.ts";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { uriEncode } from "../../src/wire/encoding.ts";
import { formDecode, headerValues, parseTarget, percentDecode } from "../../src/wire/raw-target.ts";

const load = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/s3/${name}.json`, import.meta.url), "utf8"));

const example = load("presigned-example");
describe(`the examples of ${example.source}`, () => {
  test.each(example.cases as Example[])("$name", async ({ options, signedAt, request, stringToSign, url }) => {
    const clock = () => new Date(signedAt);
    const signed = s3Signer({ ...options, credentials: example.credentials, clock }).sign(request);
    expect(signed.url).toBe(url);
    const id = createHash("sha256").update(stringToSign).digest().subarray(0, 16).toString("base64url");
    expect(signed.id).toBe(id);
    const { host, origin } = new URL(url);
    const verifier = s3Verifier({ credentials: example.credentials, origins: [origin], clock });
    const grant = await verifier.verify({
      method: "GET",
      target: url.slice(origin.length),
      authority: host,
      headers: [],
    });
    expect(grant.id).toBe(id);
  });
});

const suite = load("signature-v4-suite");
describe(`the query-signed requests of ${suite.source}`, () => {
  test.each(suite.cases as SuiteCase[])("$name", ({ method, target, headers, signature }) => {
    const { path, tokens } = parseTarget(target);
    const value = (name: string) => percentDecode(tokens.find((token) => token.name === name)?.value ?? "");
    const names = value("X-Amz-SignedHeaders");
    const headerList = names.split(";").map((name) => ({ name, values: headerValues(headers, name) }));
    const parts = {
      method,
      path: readPath(path).path,
      query: canonicalQuery(tokens.filter(({ name }) => name !== "X-Amz-Signature").map(encoded)),
      headers: canonicalHeaders(headerList),
      signedHeaders: names,
      payload: createHash("sha256").digest("hex"),
    };
    const sign = signingKeys(AWS4, suite.credentials.secretAccessKey)(suite.scope);
    const signed = v4Signature(sign, value("X-Amz-Date"), parts);
    expect(signed.signature).toBe(signature);
  });
});

function encoded({ name, value = "" }: QueryToken): readonly [string, string] {
  return [uriEncode(formDecode(name)), uriEncode(formDecode(value))];
}

interface Example {
  readonly name: string;
  readonly options: { readonly region: string; readonly endpoint: string; readonly addressing: "path" | "virtual" };
  readonly signedAt: string;
  readonly request: { readonly bucket: string; readonly key: string; readonly expiresIn: number };
  readonly stringToSign: string;
  readonly url: string;
}

interface SuiteCase {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly signature: string;
}
