import { execFileSync } from "node:child_process";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { HOSTILE_KEYS } from "../random/hostile-keys.ts";
import { decodeToken } from "../url-parts.ts";

const missing = needs("s3cmd");
const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const END = 2_000_000_000;

const signerFor = (accessKeyId: string) =>
  s3V2Signer({
    region: "us-east-1",
    endpoint: "http://127.0.0.1:9000",
    addressing: "path",
    credentials: { ...credentials, accessKeyId },
    clock: () => new Date((END - 600) * 1000),
  });

describe.skipIf(missing)(`s3cmd signurl${missing ?? ""}`, () => {
  test(`signs ${HOSTILE_KEYS.length} hostile keys as s3V2Signer does`, () => {
    const signer = signerFor(credentials.accessKeyId);
    for (const key of HOSTILE_KEYS) {
      const { url } = signer.sign({ bucket: "media", key, expiresIn: 600, dotSegments: "sign" });
      expect(parts(s3cmdUrl(key)), key).toEqual(parts(url));
    }
  });

  test("does not encode an access key id with `+`, so that servers read a space", () => {
    const { url } = signerFor("a+b").sign({ bucket: "media", key: "k", expiresIn: 600 });
    expect(url).toContain("AWSAccessKeyId=a%2Bb&");
    expect(s3cmdUrl("k", "a+b")).toContain("AWSAccessKeyId=a+b&");
  });
});

function s3cmdUrl(key: string, accessKeyId = credentials.accessKeyId): string {
  const { secretAccessKey } = credentials;
  const access = [`--access_key=${accessKeyId}`, `--secret_key=${secretAccessKey}`, "--config=/dev/null", "--no-ssl"];
  const host = ["--host=127.0.0.1:9000", "--host-bucket=127.0.0.1:9000"];
  const env = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", LC_ALL: "C.UTF-8" };
  return execFileSync("/usr/bin/s3cmd", [...access, ...host, "signurl", `s3://media/${key}`, String(END)], { env })
    .toString()
    .trim();
}

/** The path byte for byte; the parameters decoded, as their spelling is not signed. */
function parts(url: string): {
  readonly beforeQuery: string;
  readonly parameters: readonly (readonly [string, string])[];
} {
  const [beforeQuery = "", query = ""] = url.split("?");
  return { beforeQuery, parameters: query.split("&").sort().map(decodeToken) };
}
