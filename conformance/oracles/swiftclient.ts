import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { randomKey } from "../random/keys.ts";
import type { Random } from "../random/seeded.ts";
import { PYTHON } from "./boto3.ts";

/** A wish to have one TempURL signed. */
export interface SwiftWish {
  readonly account: string;
  readonly container: string;
  /** The object, or the prefix. */
  readonly name: string;
  readonly key: string;
  readonly method: "GET" | "PUT" | "HEAD" | "POST" | "DELETE";
  /** Seconds since 1970. */
  readonly expires: number;
  readonly prefix: boolean;
  readonly iso: boolean;
  readonly ip: string | null;
  readonly digest: "sha1" | "sha256" | "sha512";
}

export function randomSwiftWish(random: Random): SwiftWish {
  return {
    account: random.pick(["AUTH_test", "AUTH_9f8e7d6c5b4a", "SERVICE_a b"]),
    container: random.pick(["media", "a b+c", "100%", "é", "x.y-z_"]),
    name: randomKey(random),
    key: random.pick(["mykey", "a much longer key with spaces in it, longer than a block of sixty-four bytes", "ключ"]),
    method: random.pick(["GET", "PUT", "HEAD", "POST", "DELETE"]),
    expires: 1_700_000_000 + random.below(2_000_000_000),
    prefix: random.chance(0.3),
    iso: random.chance(0.3),
    ip: random.chance(0.3) ? random.pick(["203.0.113.9", "203.0.113.0/24", "2001:db8::/32", "0.0.0.0/0"]) : null,
    digest: random.pick(["sha1", "sha256", "sha512"]),
  };
}

/** Signs all of them in one process of Debian's Python. */
export function swiftclientUrls(wishes: readonly SwiftWish[]): readonly string[] {
  const lines = wishes.map((wish) =>
    JSON.stringify({ ...wish, path: `/v1/${wish.account}/${wish.container}/${wish.name}` }),
  );
  const script = fileURLToPath(new URL("../clients/temp-url.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(PYTHON, [script], {
    input: lines.join("\n"),
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", PYTHONIOENCODING: "utf8" },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`python3-swiftclient failed: ${stderr.slice(-2000)}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as string);
}
