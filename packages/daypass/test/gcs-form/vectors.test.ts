import { gcsFormSigner, gcsFormVerifier, type PolicyCondition } from "daypass/gcs/form";
import { describe, expect, test } from "vitest";
import { grantId } from "../../src/core/grant.ts";
import { account, publicAccount, vectors } from "../gcs/account.ts";

interface Vector {
  readonly description: string;
  readonly policyInput: {
    readonly scheme: string;
    readonly bucket: string;
    readonly object: string;
    readonly expiration: number;
    readonly timestamp: string;
    readonly urlStyle?: "VIRTUAL_HOSTED_STYLE" | "BUCKET_BOUND_HOSTNAME";
    readonly bucketBoundHostname?: string;
    readonly fields?: Readonly<Record<string, string>>;
    readonly conditions?: {
      readonly startsWith?: readonly [`$${string}`, string];
      readonly contentLengthRange?: readonly [number, number];
    };
  };
  readonly policyOutput: {
    readonly url: string;
    readonly fields: Readonly<Record<string, string>>;
    readonly expectedDecodedPolicy: string;
  };
}

const addressing = { VIRTUAL_HOSTED_STYLE: "virtual", BUCKET_BOUND_HOSTNAME: "bucket-bound" } as const;
const all: readonly Vector[] = vectors.postPolicyV4Tests;

describe(`the policy documents of ${vectors.source}`, () => {
  test("has eleven vectors", () => expect(all.length).toBe(11));

  test.each(all)("$description", async ({ policyInput, policyOutput }) => {
    const { bucket, object, conditions = {}, fields, scheme, bucketBoundHostname, urlStyle } = policyInput;
    const { startsWith, contentLengthRange } = conditions;
    const clock = () => new Date(policyInput.timestamp);
    const own: readonly PolicyCondition[] = startsWith === undefined ? [] : [["starts-with", ...startsWith]];
    const [min = 0, max = 0] = contentLengthRange ?? [];
    const form = await gcsFormSigner({
      credentials: account,
      addressing: urlStyle && addressing[urlStyle],
      endpoint: bucketBoundHostname && `${scheme}://${bucketBoundHostname}`,
      clock,
    }).sign({
      bucket,
      object,
      fields,
      conditions: own,
      contentLength: contentLengthRange && { min, max },
      expiresIn: policyInput.expiration,
    });
    expect(form.url).toBe(policyOutput.url);
    expect(form.fields).toEqual(policyOutput.fields);
    expect(Buffer.from(form.fields["policy"] ?? "", "base64").toString()).toBe(policyOutput.expectedDecodedPolicy);

    const verifier = gcsFormVerifier({ keys: publicAccount, clock, enforces: ["body-length"] });
    // A condition that only names a field leaves it to the holder.
    const sent = Object.entries(form.fields).concat(startsWith ? [["acl", "public-read"]] : []);
    const grant = await verifier.verify({ bucket, fields: sent });
    expect(grant).toMatchObject({ bucket, object, id: grantId(form.fields["policy"] ?? "") });
    expect(grant.obligations).toEqual(contentLengthRange ? [{ kind: "body-length", min, max }] : []);
  });
});
