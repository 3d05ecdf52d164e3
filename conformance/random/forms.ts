import { randomKey, randomText } from "./keys.ts";
import { randomWish, type S3Wish } from "./requests.ts";
import type { Random } from "./seeded.ts";

/** A condition as all clients take it. */
export type WishedCondition =
  | readonly ["eq" | "starts-with", `$${string}`, string]
  | readonly ["content-length-range", number, number]
  | Readonly<Record<string, string>>;

/** A wish to have one upload form signed. */
export interface FormWish
  extends Pick<S3Wish, "endpoint" | "addressing" | "region" | "bucket" | "credentials" | "expiresIn" | "signedAt"> {
  readonly key: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly conditions: readonly WishedCondition[];
}

export const FILE_NAME = "$" + "{filename}";
const FIELDS = [
  "acl",
  "Cache-Control",
  "Content-Type",
  "Content-Disposition",
  "success_action_redirect",
  "success_action_status",
  "tagging",
  "x-amz-meta-note",
  "X-Amz-Meta-Other",
  "x-amz-server-side-encryption",
  "x-amz-storage-class",
] as const;

/** One wish out of the whole space. */
export function randomForm(random: Random): FormWish {
  const { endpoint, addressing, region, bucket, credentials, expiresIn, signedAt } = randomWish(random);
  const fields: Record<string, string> = {};
  for (const name of FIELDS) {
    if (!random.chance(0.2)) continue;
    fields[name] = randomText(random) + (random.chance(0.03) ? FILE_NAME : "");
  }
  const conditions: WishedCondition[] = [];
  if (random.chance(0.4)) conditions.push(["content-length-range", random.below(10), 10 + random.below(1e9)]);
  // Conditions on what the holder fills in, and one more on a field that is fixed.
  if (random.chance(0.2)) conditions.push(["starts-with", "$x-amz-meta-free", randomText(random)]);
  if (random.chance(0.1)) conditions.push({ "x-amz-meta-own": randomText(random) });
  if (random.chance(0.1)) conditions.push(["eq", "$x-amz-meta-eq", randomText(random)]);
  if (fields["Content-Type"] !== undefined && random.chance(0.2)) conditions.push(["starts-with", "$Content-Type", ""]);
  const folder = randomKey(random);
  const key = random.pick([folder, folder, `${folder}/${FILE_NAME}`, `${folder}/${FILE_NAME}.png`, FILE_NAME]);
  if (key === FILE_NAME) conditions.push(["starts-with", "$key", ""]);
  return { endpoint, addressing, region, bucket, credentials, expiresIn, signedAt, key, fields, conditions };
}
