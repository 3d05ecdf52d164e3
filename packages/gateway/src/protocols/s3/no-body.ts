import type { S3Grant } from "daypass/s3";
import { Refusal } from "../../pipeline/refusal.ts";

const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A call that reads no body can keep no other body hash than that of an empty one. */
export function expectNoBody({ obligations }: S3Grant): void {
  for (const obligation of obligations) {
    if (
      (obligation.kind === "body-sha256" && obligation.sha256 !== SHA256_OF_NOTHING) ||
      obligation.kind === "body-chunks"
    ) {
      throw new Refusal("BODY_DIGEST", "expected the hash of an empty body on a request without one, found another", {
        expected: obligation.kind === "body-sha256" ? obligation.sha256 : "",
        calculated: SHA256_OF_NOTHING,
      });
    }
  }
}
