import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { encodeBytes } from "../sigv4.ts";
import type { ClientTarget } from "./client.ts";

const run = promisify(execFile);

export interface CurlOptions {
  readonly method: "PUT" | "HEAD" | "GET" | "DELETE";
  readonly body?: string;
  readonly range?: string;
}

/** Sends a request that curl signs in its Authorization header. Gives the body and, right after it, the status. */
export async function curlWithSigV4(
  { endpoint, region, credentials }: ClientTarget,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  { method, body, range }: CurlOptions,
): Promise<string> {
  const { stdout } = await run("curl", [
    ...["--silent", "--show-error", "--write-out", "%{http_code}"],
    ...["--aws-sigv4", `aws:amz:${region}:s3`, "--user", `${credentials.accessKeyId}:${credentials.secretAccessKey}`],
    ...(method === "HEAD" ? ["--head", "--output", "/dev/null"] : ["--request", method]),
    ...(body === undefined ? [] : ["--data-binary", body, "--header", "content-type: text/plain"]),
    ...(range === undefined ? [] : ["--range", range]),
    `${endpoint}/${bucket}/${encodeBytes(key, "/")}`,
  ]);
  return stdout;
}

export async function curlVersion(): Promise<string> {
  return /^curl (\S+)/.exec((await run("curl", ["--version"])).stdout)?.[1] ?? "";
}
