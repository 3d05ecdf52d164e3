import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { S3Wish } from "../random/requests.ts";

/** Debian's Python, whose packages these are: another one may stand first in the PATH. */
export const PYTHON = "/usr/bin/python3";

const MEMBERS: Readonly<Record<string, string>> = {
  "response-cache-control": "ResponseCacheControl",
  "response-content-disposition": "ResponseContentDisposition",
  "response-content-encoding": "ResponseContentEncoding",
  "response-content-language": "ResponseContentLanguage",
  "response-content-type": "ResponseContentType",
  uploadId: "UploadId",
  versionId: "VersionId",
};

/** Removes the options that boto3 does not have. */
export function narrowForBoto3(wish: S3Wish): S3Wish {
  const { key, method, headers } = wish;
  if (key === undefined) return { ...wish, method: "HEAD", query: [], headers: {} };
  const part = method === "PUT" && wish.query.some(([name]) => name === "uploadId");
  const allowed = part ? ["uploadId", "partNumber"] : Object.keys(MEMBERS).filter((name) => name !== "uploadId");
  const query = wish.query.filter(
    ([name], at) => allowed.includes(name) && wish.query.findIndex(([other]) => other === name) === at,
  );
  const type = headers["content-type"];
  const md5 = headers["content-md5"];
  return {
    ...wish,
    query,
    headers: {
      ...(part || type === undefined ? {} : { "content-type": type }),
      ...(md5 === undefined ? {} : { "content-md5": md5 }),
    },
  };
}

/** Signs all of them in one process. The clock is Python's: the URLs contain the time. */
export function boto3Urls(wishes: readonly S3Wish[], version: "v2" | "v4"): readonly string[] {
  const lines = wishes.map((wish) => JSON.stringify({ ...wish, version, params: params(wish) })).join("\n");
  const script = fileURLToPath(new URL("../clients/presign.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(PYTHON, [script], {
    input: lines,
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", AWS_EC2_METADATA_DISABLED: "true", PYTHONIOENCODING: "utf8" },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`boto3 failed: ${stderr.slice(-2000)}`);
  return stdout.trimEnd().split("\n");
}

function params({ query, headers }: S3Wish): Record<string, string | number> {
  const members: Record<string, string | number> = {};
  for (const [name, value] of query) {
    if (name === "partNumber") members["PartNumber"] = Number(value);
    const member = MEMBERS[name];
    if (member !== undefined) members[member] = value;
  }
  if (headers["content-type"] !== undefined) members["ContentType"] = headers["content-type"];
  if (headers["content-md5"] !== undefined) members["ContentMD5"] = headers["content-md5"];
  return members;
}
