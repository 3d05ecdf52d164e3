import type { EcdsaPublicKey } from "#crypto/ecdsa";
import { AWS4A, signingPair } from "../../schemes/s3/v4a/canonical.ts";
import { detectS3V4a, parseS3V4a } from "../../schemes/s3/v4a/parse.ts";
import { fromHex } from "../../wire/encoding.ts";
import { checkWholeDer } from "../cause/whole-signature.ts";
import type { Explainer } from "../explainer.ts";
import { v4StringToSign } from "../v4/variants.ts";
import { explainS3 } from "./explainer.ts";
import { type S3Version, SIGV4 } from "./version.ts";

const VERSION: S3Version = {
  scheme: "s3/v4a",
  title: "An S3 presigned URL (Signature Version 4A)",
  dialect: { ...SIGV4.dialect, family: AWS4A, isRegional: false },
  checkGrammar: (received) => checkWholeDer("X-Amz-Signature", parseS3V4a(received).signature),
  matcher({ accessKeyId, signature }) {
    const bytes = fromHex(signature);
    // Thousands of inputs are tried with a handful of secrets.
    const keys = new Map<string, EcdsaPublicKey>();
    return async (input) => {
      if (bytes === undefined) return false;
      const { secret } = input;
      let key = keys.get(secret);
      if (key === undefined) {
        key = signingPair({ accessKeyId, secretAccessKey: secret }).publicKey;
        keys.set(secret, key);
      }
      return key.verify(v4StringToSign(input), bytes);
    };
  },
};

/** S3 presigned URLs in Signature Version 4A. */
export const s3V4aExplainer: Explainer = { detects: detectS3V4a, explain: (subject) => explainS3(subject, VERSION) };
