import { detectS3, hasExpressSession } from "../../schemes/s3/parse.ts";
import type { Explainer } from "../explainer.ts";
import { explainS3 } from "./explainer.ts";
import { type S3Version, SIGV4 } from "./version.ts";

const VERSION: S3Version = {
  ...SIGV4,
  scheme: "s3/express",
  title: "A presigned URL for S3 Express One Zone (Signature Version 4)",
  dialect: { ...SIGV4.dialect, services: ["s3express", "s3"] },
  lifetime: "with its session, five minutes after the session was created, whatever the URL says",
};

/** URLs for S3 Express One Zone: told by the session's token, or by the service in the scope. */
export const s3ExpressExplainer: Explainer = {
  detects: (request) =>
    detectS3(request) && (hasExpressSession(request) || /(?:%2F|\/)s3express(?:%2F|\/)/i.test(request.target)),
  explain: (subject) => explainS3(subject, VERSION),
};
