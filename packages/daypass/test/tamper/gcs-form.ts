import { gcsFormSigner, gcsHmacFormSigner } from "../../src/schemes/gcs/form/index.ts";
import { account, hmacKey } from "../gcs/account.ts";
import { NOW } from "./bases.ts";
import { documentOf, type FormBase, FREE, proofOf, WISHES } from "./s3-form.ts";

/** The same forms for Cloud Storage, whose words for some fields are others. */
export async function gcsFormBases(kind: "HMAC" | "account"): Promise<readonly FormBase[]> {
  const { sign } =
    kind === "HMAC"
      ? gcsHmacFormSigner({ credentials: hmacKey, clock: () => NOW })
      : gcsFormSigner({ credentials: account, clock: () => NOW });
  return Promise.all(
    WISHES.map(async ({ key, fields: bound = {}, conditions, ...wish }): Promise<FormBase> => {
      const renamed = JSON.parse(JSON.stringify({ fields: bound, conditions }).replaceAll("x-amz-", "x-goog-"));
      const signed = await sign({ ...wish, ...renamed, object: key, expiresIn: 900 });
      const free = FREE.map(([name, value]) => [name.replace("x-amz-", "x-goog-"), value] as const);
      const fields = [...Object.entries(signed.fields), ...(key === "free" ? free : [])];
      const form = { bucket: wish.bucket, fields, fileName: "a b.png" };
      return { form, conditions: documentOf(signed).conditions, proof: proofOf(fields) };
    }),
  );
}
