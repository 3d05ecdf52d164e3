import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { s3FormVerifier } from "../../src/schemes/s3/form/index.ts";
import { s3FormV2Verifier } from "../../src/schemes/s3/form/v2/index.ts";
import { expectRefusal } from "../wire-request.ts";

interface Vector {
  readonly name: string;
  readonly source: string;
  readonly version: "v4" | "v2";
  readonly secretAccessKey: string;
  readonly now: string;
  readonly bucket: string;
  readonly fileName: string;
  readonly key: string;
  readonly fields: readonly (readonly [string, string])[];
}
const { cases } = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as { cases: Vector[] };

describe("AWS's published forms", () => {
  it.each(cases)("$name: verifies as it stands, and not with a character changed", async (vector) => {
    const { version, secretAccessKey, now, bucket, fileName, key, fields } = vector;
    const options = {
      credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey },
      clock: () => new Date(now),
    };
    const verifier = version === "v4" ? s3FormVerifier(options) : s3FormV2Verifier(options);
    const grant = await verifier.verify({ bucket, fileName, fields });
    expect(grant).toMatchObject({ keyId: "AKIAIOSFODNN7EXAMPLE", bucket, key, status: 204, obligations: [] });
    expect(grant.redirect).toBe(`http://${bucket}.s3.amazonaws.com/successful_upload.html`);
    for (const [name, value] of fields) {
      if (name === "x-amz-meta-tag") continue;
      const changed = fields.map(([field, old]) => [field, field === name ? `x${value.slice(1)}` : old] as const);
      await expectRefusal(verifier.verify({ bucket, fileName, fields: changed }));
    }
  });
});
