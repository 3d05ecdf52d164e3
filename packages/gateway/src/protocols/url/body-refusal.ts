import type { UrlGrant } from "daypass/url";
import { Refusal } from "../../pipeline/refusal.ts";
import { obligationOf } from "./obligation.ts";

/**
 * What the storage refuses of a body in the words for a grant that was not kept, where it is the grant's bound that did not hold and
 * not one of the server: a breach has one code, whether the length was announced or counted.
 */
export function bodyRefusal(refusal: Refusal, grant: UrlGrant): Refusal {
  const { code, details } = refusal;
  const length = obligationOf(grant, "body-length");
  const isLength =
    (code === "TOO_LARGE" && details["limit"] === length?.max) ||
    (code === "TOO_SMALL" && details["limit"] === length?.min);
  if (length !== undefined && isLength) {
    return new Refusal(
      "BODY_LENGTH",
      `expected ${length.min} to ${length.max} bytes, found others: send what was granted`,
      details,
      { cause: refusal },
    );
  }
  const isDigest = code === "DIGEST_MISMATCH" && details["digest"] === "sha256";
  if (!isDigest || obligationOf(grant, "body-sha256") === undefined) return refusal;
  return new Refusal("BODY_DIGEST", "expected the body that was granted, found another", details, { cause: refusal });
}
