import { createHash, createHmac } from "node:crypto";
import type { S3AccessKey } from "../../src/index.ts";
import type { TestGateway } from "../../src/testing/index.ts";
import { type Reply, s3Field, send } from "./clients.ts";

export interface StsCall {
  readonly key: S3AccessKey;
  readonly at?: Date;
  /** Sent instead of what was signed. */
  readonly body?: string;
  /** Signed and sent in place of the parameters. */
  readonly form?: Uint8Array;
  readonly token?: string;
  /** Whether a header contains the signed hash. */
  readonly told?: boolean;
  readonly method?: string;
  readonly target?: string;
  readonly type?: string;
}

/** A call of the Security Token Service as an SDK sends it: signed over a hash of the form that no header contains, unless asked for. */
export async function callSts(
  gateway: TestGateway,
  parameters: Readonly<Record<string, string>>,
  { key, at = new Date(), body, form: given, token, told = false, ...call }: StsCall,
): Promise<Reply> {
  const form = given ?? new URLSearchParams({ Version: "2011-06-15", ...parameters }).toString();
  const { method = "POST", target = "/", type = "application/x-www-form-urlencoded" } = call;
  const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");
  const time = at.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const fields: Record<string, string> = {
    "content-type": type,
    host: `127.0.0.1:${gateway.port}`,
    "x-amz-date": time,
    ...(token === undefined ? {} : { "x-amz-security-token": token }),
    ...(told ? { "x-amz-content-sha256": sha256(form) } : {}),
  };
  const names = Object.keys(fields).sort();
  const canonical = `${method}\n${target}\n\n${names.map((name) => `${name}:${fields[name]}\n`).join("")}\n${names.join(";")}\n${sha256(form)}`;
  const scope = `${time.slice(0, 8)}/us-east-1/sts/aws4_request`;
  let derived: Buffer | string = `AWS4${key.secretAccessKey}`;
  for (const step of scope.split("/")) derived = createHmac("sha256", derived).update(step).digest();
  const signature = createHmac("sha256", derived)
    .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`)
    .digest("hex");
  const sent = body ?? form;
  return send(gateway, {
    method,
    target,
    body: sent,
    headers: {
      ...fields,
      "content-length": String(Buffer.byteLength(sent)),
      authorization: `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
    },
  });
}

export const ASSUME = { Action: "AssumeRole", RoleArn: "arn:aws:iam::000000000000:role/app", RoleSessionName: "test" };

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** The credentials in the answer to a call. */
export function credentialsIn({ body }: Reply): SessionCredentials {
  return {
    accessKeyId: s3Field(body, "AccessKeyId") ?? "",
    secretAccessKey: s3Field(body, "SecretAccessKey") ?? "",
    sessionToken: s3Field(body, "SessionToken") ?? "",
    expiration: new Date(s3Field(body, "Expiration") ?? ""),
  };
}
