import type { ReceivedRequest } from "../../core/contracts.ts";
import { AWS4 } from "../../core/v4.ts";
import { checkSignatureForm, parseS3 } from "../../schemes/s3/parse.ts";
import { type V4Dialect, type V4Input, v4Signatures } from "../v4/variants.ts";
import type { S3Facts } from "./facts.ts";

/** What sets the kinds of S3 URLs that have a canonical request apart. */
export interface S3Version {
  readonly scheme: string;
  /** What the URL is, for the summary. */
  readonly title: string;
  readonly dialect: V4Dialect;
  /** Reads as a verifier does. Throws what makes it refuse the request. */
  checkGrammar(received: ReceivedRequest): void;
  /** Tells whether the signature of the URL is one over an input. */
  matcher(facts: S3Facts): (input: V4Input) => Promise<boolean>;
  /** Why the URL may end earlier than it says; `undefined` where the key decides. */
  readonly lifetime?: string | undefined;
}

/** Signature Version 4. */
export const SIGV4: S3Version = {
  scheme: "s3",
  title: "An S3 presigned URL (Signature Version 4)",
  dialect: {
    name: "S3",
    family: AWS4,
    prefix: "X-Amz-",
    optional: /^X-Amz-(?:Content-Sha256|S(?:ecurity|3session)-Token)$/,
    lost: [
      ...["GetObject", "PutObject", "DeleteObject", "HeadObject", "UploadPart"].map((id) => ["x-id", id] as const),
      // Of each download, unless the client was told otherwise.
      ["x-amz-checksum-mode", "ENABLED"],
    ],
    tail: [
      ["x-amz-checksum-mode", "ENABLED"],
      ["x-id", "GetObject"],
    ],
    regions: ["us-east-1", "auto", "eu-west-1", "us-west-2", "garage", ""],
    services: ["s3", "s3express", "s3-object-lambda", "execute-api"],
    hasSecret: true,
    isRegional: true,
  },
  checkGrammar: (received) => checkSignatureForm(parseS3(received).signature),
  matcher({ signature }) {
    const signatureOf = v4Signatures(AWS4);
    return async (input) => signatureOf(input) === signature;
  },
};
