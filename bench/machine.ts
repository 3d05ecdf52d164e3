import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";

/** What the figures were measured on, in a few lines. */
export function machine(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return [
    `${availableParallelism()} × ${cpus()[0]?.model ?? "unknown processor"}, ${memory}, Linux ${release()}, Node ${process.version} (OpenSSL ${process.versions.openssl})`,
    ["daypass", "aws4", "aws4fetch", "minio", "@smithy/signature-v4", "@aws-sdk/s3-request-presigner"]
      .map((name) => `${name} ${versionOf(name)}`)
      .join(", "),
    [
      firstLine("nginx", ["-v"]),
      firstLine("wrk", ["-v"]),
      firstLine("radosgw", ["--version"])?.replace(/ \([0-9a-f]+\)/, ""),
    ]
      .filter((line) => line !== undefined)
      .join(", "),
  ].join("\n");
}

function versionOf(name: string): string {
  const { version } = JSON.parse(
    readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8"),
  ) as { version: string };
  return version;
}

// Where each of them prints its version and with which status differs.
function firstLine(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync("sh", ["-c", `"$0" "$@" 2>&1 | head -n 1`, command, ...args], { encoding: "utf8" })
      .trim()
      .replace(/ \[.*/, "");
  } catch {
    return undefined;
  }
}
