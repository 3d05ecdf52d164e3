import { execFile } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { needs } from "../../../../tools/needs.ts";
import { useGateway } from "./clients.ts";

const missing = needs("curl");
const gateway = useGateway({ files: { "media/hello.txt": "hello" } });

async function curl(...args: string[]): Promise<string> {
  const user = `AKIDEXAMPLE:${gateway.accessKey.secretAccessKey}`;
  const all = ["-sS", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", user, ...args];
  return (await promisify(execFile)("curl", all)).stdout;
}

describe.skipIf(missing)(`curl --aws-sigv4${missing ?? ""}`, () => {
  it("uploads, reads, inspects and deletes an object", async () => {
    const url = `${gateway.url}/media/by-curl.txt`;
    expect(await curl("-X", "PUT", "--data-binary", "from curl", "-w", "%{http_code}", url)).toBe("200");
    expect(await curl("-w", " %{http_code}", url)).toBe("from curl 200");
    expect(await curl("-I", url)).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*content-length: 9/i);
    expect(await curl("-r", "0-3", url)).toBe("from");
    expect(await curl("-X", "DELETE", "-w", "%{http_code}", url)).toBe("204");
    expect(await curl("-o", "/dev/null", "-w", "%{http_code}", url)).toBe("404");
  });

  it("receives 100 Continue before a large upload", async () => {
    const url = `${gateway.url}/media/large-by-curl.bin`;
    const file = join(gateway.root, "source.bin");
    writeFileSync(file, Buffer.alloc(3_000_000, "curl"));
    const upload = ["-v", "-X", "PUT", "--data-binary", `@${file}`, "-H", "Expect: 100-continue", "--stderr", "-"];
    const log = await curl(...upload, url);
    expect(log).toContain("HTTP/1.1 100 Continue");
    expect(log).toContain("HTTP/1.1 200 OK");
    expect(statSync(join(gateway.root, "media/large-by-curl.bin")).size).toBe(3_000_000);
  });
});
