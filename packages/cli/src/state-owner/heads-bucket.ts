/** Heads in a bucket. If it locks its objects, an attacker on this machine cannot take them back. */
import { createHash } from "node:crypto";
import { s3Signer } from "daypass/s3";
import { CommandError } from "../command.ts";
import type { AuditConfig } from "../commands/serve/config-schema.ts";
import { awsSettings } from "../credentials/aws.ts";

const LIFETIME_SECONDS = 60;
const ANSWER_MS = 10_000;

/** The objects of `audit.heads`, by their names below its prefix. */
export interface HeadsBucket {
  put(name: string, text: string): Promise<void>;
  /** `undefined` if there is none. */
  get(name: string): Promise<string | undefined>;
}

/** Opens the bucket of the configuration, with the credentials that the environment has at each call. */
export function headsBucket(
  { endpoint, region, bucket = "", prefix = "audit/" }: NonNullable<AuditConfig["heads"]>,
  env: Readonly<Record<string, string | undefined>>,
): HeadsBucket {
  async function send(method: "GET" | "PUT", name: string, body?: string): Promise<Response> {
    const found = await awsSettings(env, undefined);
    const signer = s3Signer({
      region: region ?? found.region ?? "us-east-1",
      endpoint: endpoint ?? found.endpoint,
      credentials: found.credentials,
    });
    const key = `${prefix}${name}`;
    const { url } = signer.sign({ method, bucket, key, expiresIn: LIFETIME_SECONDS });
    // A bucket that locks its objects requires a digest.
    const md5 = createHash("md5")
      .update(body ?? "")
      .digest("base64");
    return fetch(url, {
      method,
      body: body ?? null,
      headers: body === undefined ? {} : { "content-md5": md5 },
      signal: AbortSignal.timeout(ANSWER_MS),
    }).then((response) => {
      if (response.ok || (method === "GET" && response.status === 404)) return response;
      throw new CommandError(`audit.heads: the server answered ${response.status} to ${method} ${bucket}/${key}`);
    });
  }
  return {
    put: async (name, text) => void (await send("PUT", name, text)),
    async get(name) {
      const response = await send("GET", name);
      return response.ok ? response.text() : undefined;
    },
  };
}
