import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { S3Wish } from "../random/requests.ts";
import type { Oracle } from "./oracle.ts";

const OVERRIDES = {
  "response-cache-control": "ResponseCacheControl",
  "response-content-disposition": "ResponseContentDisposition",
  "response-content-encoding": "ResponseContentEncoding",
  "response-content-language": "ResponseContentLanguage",
  "response-content-type": "ResponseContentType",
} as const;

/** The official presigner with its default checksums switched off: our URLs carry no checksum that the caller did not request. */
export const awsSdkOracle: Oracle = {
  name: "@aws-sdk/s3-request-presigner",
  version: "3.1169.0",
  narrow,
  adds: ["X-Amz-Content-Sha256", "x-id"],
  async sign(wish) {
    const client = new S3Client({
      region: wish.region,
      endpoint: wish.endpoint,
      forcePathStyle: wish.addressing === "path",
      // A copy: the client writes into what it is given.
      credentials: { ...wish.credentials },
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
    const names = Object.keys(wish.headers);
    // A union of commands fits no overload, though each of its members does.
    return getSignedUrl(client, command(wish) as GetObjectCommand, {
      expiresIn: wish.expiresIn,
      signingDate: wish.signedAt,
      unhoistableHeaders: new Set(names),
      signableHeaders: new Set(names),
    });
  },
  deviations: [
    {
      name: "a call on the bucket in path style: `/bucket/`, where all others have `/bucket` (servers take both)",
      applies: ({ key, addressing }) => key === undefined && addressing === "path",
      instead: (draft) => ({
        ...draft,
        path: `${draft.path}/`,
        signed: { ...draft.signed, path: `${draft.signed.path}/` },
      }),
    },
  ],
};

// Commands have members, not parameters: keep those that a member exists for, each once.
function narrow(wish: S3Wish): S3Wish {
  const allowed = new Set<string>(["versionId", "response-expires", ...Object.keys(OVERRIDES)]);
  const part = wish.method === "PUT" && wish.key !== undefined && wish.query.some(([name]) => name === "uploadId");
  if (part) for (const name of ["partNumber", "uploadId"]) allowed.add(name);
  const { "content-type": type, "content-md5": md5, ...others } = wish.headers;
  // UploadPart has no Content-Type and no metadata; a payload hash of the caller's is overwritten.
  const { "x-amz-content-sha256": _, ...rest } = others;
  const headers = part ? {} : { ...rest, ...(type === undefined ? {} : { "content-type": type }) };
  return {
    ...wish,
    ...(wish.key === undefined
      ? { method: "HEAD" as const, query: [], headers: {} }
      : {
          query: wish.query.filter(
            ([name], at) => allowed.has(name) && wish.query.findIndex(([other]) => other === name) === at,
          ),
          headers: md5 === undefined ? headers : { ...headers, "content-md5": md5 },
        }),
  };
}

function command({ method, bucket: Bucket, key: Key, query, headers }: S3Wish) {
  if (Key === undefined) return new HeadBucketCommand({ Bucket });
  const parameters = new Map(query);
  const versionId = parameters.get("versionId");
  const version = versionId === undefined ? {} : { VersionId: versionId };
  const md5 = headers["content-md5"] === undefined ? {} : { ContentMD5: headers["content-md5"] };
  if (method === "DELETE") return new DeleteObjectCommand({ Bucket, Key, ...version });
  if (method === "HEAD") return new HeadObjectCommand({ Bucket, Key, ...version });
  if (method === "GET") {
    const expires = parameters.get("response-expires");
    const overrides = Object.entries(OVERRIDES).flatMap(([name, member]) => {
      const value = parameters.get(name);
      return value === undefined ? [] : [[member, value]];
    });
    return new GetObjectCommand({
      Bucket,
      Key,
      ...version,
      ...Object.fromEntries(overrides),
      ...(expires === undefined ? {} : { ResponseExpires: new Date(expires) }),
    });
  }
  const UploadId = parameters.get("uploadId");
  if (UploadId !== undefined)
    return new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: Number(parameters.get("partNumber")), ...md5 });
  const metadata = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith("x-amz-meta-") ? [[name.slice("x-amz-meta-".length), value]] : [],
  );
  return new PutObjectCommand({
    Bucket,
    Key,
    ...md5,
    ...(metadata.length === 0 ? {} : { Metadata: Object.fromEntries(metadata) }),
    ...(headers["content-type"] === undefined ? {} : { ContentType: headers["content-type"] }),
    ...(headers["cache-control"] === undefined ? {} : { CacheControl: headers["cache-control"] }),
    ...(headers["if-none-match"] === undefined ? {} : { IfNoneMatch: headers["if-none-match"] }),
    ...(headers["x-amz-server-side-encryption"] === undefined ? {} : { ServerSideEncryption: "AES256" as const }),
  });
}
