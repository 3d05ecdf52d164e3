import type { WireRequest } from "daypass";
import { formBoundary } from "../../http/multipart.ts";
import type { S3Error } from "./error-body.ts";
import { s3Error } from "./errors.ts";

/** What S3 says of a request in which it finds no signature: where it can be told, why. */
export function unsignedError({ method, target, headers }: WireRequest, virtualBucket: string): S3Error {
  if (headers.some(([name]) => name.toLowerCase() === "authorization")) {
    return {
      status: 400,
      code: "InvalidArgument",
      message: "Unsupported Authorization Type",
      // Amazon repeats the header: that of another service is a credential, which belongs into no log of error bodies.
      fields: [["ArgumentName", "Authorization"]],
    };
  }
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1];
  const isBucket = (virtualBucket === "" ? /^\/[^/?]+\/?$/ : /^\/$/).test(target);
  // A form that can be read has been, and has no signature.
  if (method !== "POST" || !isBucket || type === undefined || formBoundary(type) !== undefined) {
    return s3Error("NO_SIGNATURE", {});
  }
  return s3Error("PRECONDITION_FAILED", {
    condition: "Bucket POST must be of the enclosure-type multipart/form-data",
  });
}
