import { readFileSync } from "node:fs";
import { s3HeaderVerifier } from "daypass/s3/header";
import { describe, expect, it } from "vitest";

interface Vectors {
  readonly source: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly cases: readonly {
    readonly name: string;
    readonly method: string;
    readonly target: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly sessionToken?: string | null;
  }[];
}

const read = (name: string): Vectors =>
  JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), "utf8"));

for (const [name, time] of [
  ["aws", "2013-05-24T00:00:00Z"],
  ["aws4", "2026-11-24T12:00:00Z"],
] as const) {
  const { source, accessKeyId, secretAccessKey, cases } = read(name);
  describe(source, () => {
    it.each(cases)("$name is accepted, and refused with one digit of the signature changed", async (vector) => {
      const verifier = s3HeaderVerifier({
        credentials: { accessKeyId, secretAccessKey, sessionToken: vector.sessionToken ?? undefined },
        origins: ["https://*.s3.amazonaws.com", "https://s3.example.com", "http://localhost:9000"],
        enforces: ["body-sha256"],
        clock: () => new Date(time),
      });
      const { method, target, headers } = vector;
      const authority = headers.find(([field]) => field === "Host")?.[1] ?? "";
      const grant = await verifier.verify({ method, target, authority, headers });
      expect(grant).toMatchObject({ scheme: "s3/header", keyId: accessKeyId, methods: [method] });
      const forged = headers.map(([field, value]): [string, string] => [
        field,
        field === "Authorization" ? value.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")) : value,
      ]);
      await expect(verifier.verify({ method, target, authority, headers: forged })).rejects.toMatchObject({
        code: "SIGNATURE_MISMATCH",
      });
    });
  });
}
