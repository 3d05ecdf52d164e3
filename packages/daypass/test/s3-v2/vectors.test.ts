import { readFileSync } from "node:fs";
import type { WireRequest } from "daypass";
import { s3V2Signer, s3V2Verifier } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";

const read = (name: string) => JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), "utf8"));

interface Published {
  readonly name: string;
  readonly source: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly url: string;
  readonly bucket: string;
  readonly key: string;
  readonly parameters: readonly (readonly [string, string])[];
}

interface Botocore {
  readonly name: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly sessionToken: string | null;
  readonly url: string;
  readonly addressing: "path" | null;
  readonly endpoint: string | null;
}

function request(method: string, url: string, headers: Readonly<Record<string, string>> = {}): WireRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(.*)$/.exec(url) ?? [];
  return { method, target, authority, headers: Object.entries(headers) };
}

const published = read("aws-and-s3cmd").cases as readonly Published[];

describe("URLs that AWS has published or s3cmd makes", () => {
  it.each(published)("$name ($source) is accepted for the bucket and key that it names", async (vector) => {
    const { accessKeyId, secretAccessKey, url, bucket, key, parameters } = vector;
    const verifier = s3V2Verifier({
      credentials: { accessKeyId, secretAccessKey },
      origins: ["http://s3.amazonaws.com", "http://*.s3.amazonaws.com"],
      enforces: ["response"],
      clock: () => new Date("2007-03-28T00:00:00Z"),
    });
    expect(await verifier.verify(request("GET", url))).toMatchObject({ scheme: "s3/v2", bucket, key, parameters });
  });
});

const botocore = read("botocore") as {
  readonly source: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly expires: number;
  readonly cases: readonly Botocore[];
};

/** The headers of a request that botocore also writes into the query; its clients have to send them. */
const headersOf = ({ params }: Botocore): Readonly<Record<string, string>> =>
  params["ContentType"] === undefined ? {} : { "content-type": String(params["ContentType"]) };

describe(`URLs of ${botocore.source}`, () => {
  const { accessKeyId, secretAccessKey, expires } = botocore;

  it.each(botocore.cases)("$name: the verifier accepts it", async (vector) => {
    const verifier = s3V2Verifier({
      credentials: { accessKeyId, secretAccessKey, sessionToken: vector.sessionToken ?? undefined },
      origins: ["https://s3.amazonaws.com", "https://*.s3.amazonaws.com", "http://localhost:9000"],
      enforces: ["response"],
      allowUnsigned: ["list-type", "prefix", "max-keys", "encoding-type"],
      clock: () => new Date("2026-11-24T00:00:00Z"),
    });
    const grant = await verifier.verify(request(vector.method, vector.url, headersOf(vector)));
    expect(grant.bucket).toBe(vector.params["Bucket"]);
    expect(grant.key).toBe(vector.params["Key"]);
    expect(grant.expiresAt).toEqual(new Date(expires * 1000));
  });

  it.each(botocore.cases)("$name: the signer makes the same URL", (vector) => {
    const [, origin = "", query = ""] = /^(https?:\/\/[^/]+)[^?]*\?(.*)$/.exec(vector.url) ?? [];
    const bucket = String(vector.params["Bucket"]);
    const virtual = origin.startsWith(`https://${bucket}.`);
    // All that botocore adds by its own decision is asked for here: sub-resources, listing options, hoisted headers.
    const asked = query
      .split("&")
      .map((token) => token.split("=").map(decodeURIComponent))
      .filter(([name = ""]) => !/^(?:AWSAccessKeyId|Signature|Expires|x-amz-security-token|content-type)$/.test(name));
    const signer = s3V2Signer({
      region: "us-east-1",
      endpoint: origin.replace(`//${bucket}.`, "//"),
      addressing: virtual ? "virtual" : "path",
      credentials: { accessKeyId, secretAccessKey, sessionToken: vector.sessionToken ?? undefined },
      clock: () => new Date(expires * 1000 - 60_000),
    });
    const key = vector.params["Key"] as string | undefined;
    const { url } = signer.sign({
      method: vector.method,
      bucket,
      ...(key === undefined ? { resource: "bucket" } : { key }),
      headers: headersOf(vector),
      query: Object.fromEntries(asked.map(([name, value = ""]) => [name, value])),
      expiresIn: 60,
    });
    const parts = (text: string) => [
      text.slice(0, text.indexOf("?")),
      text
        .slice(text.indexOf("?") + 1)
        .split("&")
        .sort(),
    ];
    // SigV2 signs `/bucket` and `/bucket/` alike. The signer writes the form that needs no redirect.
    const expected = vector.url
      .replace(/&content-type=[^&]*/, "")
      .replace(/(\.com\/[^/]+)\?/, key === undefined ? "$1/?" : "$1?");
    expect(parts(url)).toEqual(parts(expected));
  });
});
