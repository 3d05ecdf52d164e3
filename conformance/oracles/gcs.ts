import { generateKeyPairSync } from "node:crypto";
import { type Bucket, type File, Storage } from "@google-cloud/storage";
import type { GcsServiceAccount, GcsSignRequest } from "daypass/gcs";
import type { GcsFormWish, GcsPlace, GcsWish } from "../random/gcs-wishes.ts";

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

export const ACCOUNT: GcsServiceAccount = {
  client_email: "signer@project-1.iam.gserviceaccount.com",
  private_key: keys.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
};
export const PUBLIC_ACCOUNT = {
  client_email: ACCOUNT.client_email,
  public_key: keys.publicKey.export({ format: "pem", type: "spki" }).toString(),
};

/** The URL of the official client. It reads the clock of the process, which the caller sets. */
export async function sdkUrl(wish: GcsWish, version: "v2" | "v4"): Promise<string> {
  const { addressing, endpoint, response, signedAt, expiresIn, headers } = wish;
  const {
    "content-type": contentType,
    "content-md5": contentMd5,
    "x-goog-resumable": _,
    ...extensionHeaders
  } = headers;
  const config = {
    version,
    expires: signedAt.getTime() + expiresIn * 1000,
    virtualHostedStyle: addressing === "virtual",
    cname: addressing === "bucket-bound" ? endpoint : undefined,
    queryParams: wish.query,
    extensionHeaders,
  };
  const { bucket, file } = storage(wish);
  if (file === undefined) {
    const [url] = await bucket.getSignedUrl({ ...config, action: "list" });
    return url;
  }
  const actions = { GET: "read", PUT: "write", POST: "resumable", DELETE: "delete" } as const;
  const [url] = await file.getSignedUrl({
    ...config,
    action: actions[wish.method],
    contentType,
    contentMd5,
    responseType: response.contentType,
    responseDisposition: response.contentDisposition,
  });
  return url;
}

export interface GcsForm {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

export async function sdkForm(wish: GcsFormWish): Promise<GcsForm> {
  const { addressing, endpoint, conditions, fields, signedAt, expiresIn } = wish;
  const { file } = storage(wish);
  const [{ url, fields: signed }] = await (file as File).generateSignedPostPolicyV4({
    expires: signedAt.getTime() + expiresIn * 1000,
    conditions: [...conditions] as never[],
    fields: { ...fields },
    virtualHostedStyle: addressing === "virtual",
    bucketBoundHostname: addressing === "bucket-bound" ? endpoint : undefined,
  });
  return { url, fields: signed as Readonly<Record<string, string>> };
}

function storage(wish: GcsPlace & Pick<GcsWish, "bucket" | "object">): { bucket: Bucket; file: File | undefined } {
  const { addressing, endpoint, universeDomain, object } = wish;
  const service = new Storage({
    projectId: "project-1",
    credentials: ACCOUNT,
    universeDomain,
    apiEndpoint: addressing === "path" ? endpoint : undefined,
  });
  const bucket = service.bucket(wish.bucket);
  return { bucket, file: object === undefined ? undefined : bucket.file(object) };
}

/** The request for the signer of Daypass. */
export function ourRequest(wish: GcsWish): GcsSignRequest {
  const { method, bucket, object, query, response, headers, expiresIn } = wish;
  const target = object === undefined ? { resource: "bucket" as const } : { object };
  return { method, bucket, ...target, query, response, headers, expiresIn, dotSegments: "sign" };
}

/** V2 signs no response headers: they are parameters like others. */
export function ourV2Request(wish: GcsWish): GcsSignRequest {
  const { response, ...request } = ourRequest(wish);
  const overrides = [
    ["response-content-type", response?.contentType],
    ["response-content-disposition", response?.contentDisposition],
  ].filter(([, value]) => value !== undefined);
  return { ...request, query: { ...request.query, ...Object.fromEntries(overrides) } };
}

export function ourOptions({ addressing, endpoint, universeDomain }: GcsPlace) {
  return { credentials: ACCOUNT, addressing, endpoint, universeDomain };
}
