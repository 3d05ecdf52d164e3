import { createPrivateKey, createSign } from "node:crypto";
import { gcsSigner, gcsVerifier } from "daypass/gcs";
import { describe, expect, test } from "vitest";
import { grantId } from "../../src/core/grant.ts";
import { GOOG4_RSA, gcsTexts } from "../../src/schemes/gcs/canonical.ts";
import { wireRequest } from "../wire-request.ts";
import { account, publicAccount, vectors } from "./account.ts";

interface Vector {
  readonly description: string;
  readonly bucket: string;
  readonly object?: string;
  readonly method: string;
  readonly expiration: number;
  readonly timestamp: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly queryParameters?: Readonly<Record<string, string>>;
  readonly scheme?: string;
  readonly urlStyle?: "VIRTUAL_HOSTED_STYLE" | "BUCKET_BOUND_HOSTNAME";
  readonly bucketBoundHostname?: string;
  /** The three ways to name another server. The first present way counts. */
  readonly hostname?: string;
  readonly clientEndpoint?: string;
  readonly emulatorHostname?: string;
  readonly universeDomain?: string;
  readonly expectedUrl: string;
  readonly expectedStringToSign?: string;
}

const addressing = { VIRTUAL_HOSTED_STYLE: "virtual", BUCKET_BOUND_HOSTNAME: "bucket-bound" } as const;
const isToken = (name: string): boolean => !name.includes("/");
const all: readonly Vector[] = vectors.signingV4Tests;
const sendable = all.filter(({ headers = {} }) => Object.keys(headers).every(isToken));

function sign(vector: Vector) {
  const { hostname, clientEndpoint, emulatorHostname, bucketBoundHostname, urlStyle } = vector;
  const server = bucketBoundHostname ?? hostname ?? clientEndpoint ?? emulatorHostname;
  const endpoint = server === undefined || server.includes("://") ? server : `${vector.scheme ?? "https"}://${server}`;
  return gcsSigner({
    credentials: account,
    addressing: urlStyle && addressing[urlStyle],
    endpoint,
    universeDomain: vector.universeDomain,
    clock: () => new Date(vector.timestamp),
  }).sign({
    bucket: vector.bucket,
    ...(vector.object === undefined ? { resource: "bucket" } : { object: vector.object }),
    method: vector.method,
    expiresIn: vector.expiration,
    headers: vector.headers,
    query: vector.queryParameters,
  });
}

describe(`the signed URLs of ${vectors.source}`, () => {
  test("has 29 vectors, all but one sendable", () => {
    expect([all.length, sendable.length]).toEqual([29, 28]);
  });

  test.each(sendable)("$description", async (vector) => {
    const link = await sign(vector);
    // The vector "endpoint on client" repeats the default port of https in its URL, which is the same URL without it.
    expect(link.url).toBe(vector.expectedUrl.replace(":443/", "/"));
    if (vector.expectedStringToSign !== undefined) expect(link.id).toBe(grantId(vector.expectedStringToSign));

    const { origin } = new URL(link.url);
    const verifier = gcsVerifier({
      keys: publicAccount,
      origins: [vector.urlStyle === "VIRTUAL_HOSTED_STYLE" ? origin.replace("test-bucket", "*") : origin],
      buckets: vector.urlStyle === "BUCKET_BOUND_HOSTNAME" ? { [origin]: vector.bucket } : undefined,
      clock: () => new Date(vector.timestamp),
      enforces: ["body-sha256"],
    });
    const verified = verifier.verify(wireRequest(link));
    // Its digest has 63 digits.
    if (vector.description.startsWith("Signed Payload")) {
      await expect(verified).rejects.toMatchObject({ code: "UNSUPPORTED_PAYLOAD" });
      return;
    }
    const { id, bucket, object } = await verified;
    expect({ id, bucket, object }).toEqual({ id: link.id, bucket: vector.bucket, object: vector.object });
  });

  // HTTP has no header field with a slash in its name (RFC 9110 section 5.1), so the signer refuses the vector.
  test.each(all.filter((vector) => !sendable.includes(vector)))(
    "$description: as texts, and refused for its header",
    async (vector) => {
      await expect(sign(vector)).rejects.toMatchObject({ code: "INVALID_INPUT" });
      const headers = Object.entries({ ...vector.headers, host: "storage.googleapis.com" }).sort();
      const { query, stringToSign } = gcsTexts({
        family: GOOG4_RSA,
        scope: { date: "20190201", region: "auto", service: "storage" },
        time: "20190201T090000Z",
        method: vector.method,
        path: new URL(vector.expectedUrl).pathname,
        parameters: [
          ["X-Goog-Algorithm", "GOOG4-RSA-SHA256"],
          ["X-Goog-Credential", `${account.client_email}/20190201/auto/storage/goog4_request`],
          ["X-Goog-Date", "20190201T090000Z"],
          ["X-Goog-Expires", `${vector.expiration}`],
          ["X-Goog-SignedHeaders", headers.map(([name]) => name).join(";")],
        ],
        headers: headers.map(([name, value]) => ({ name, values: [value] })),
      });
      expect(stringToSign).toBe(vector.expectedStringToSign);
      const signature = createSign("sha256").update(stringToSign).sign(createPrivateKey(account.private_key), "hex");
      expect(vector.expectedUrl.endsWith(`?${query}&X-Goog-Signature=${signature}`)).toBe(true);
    },
  );
});
