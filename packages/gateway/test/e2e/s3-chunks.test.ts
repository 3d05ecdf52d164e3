import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type ChunkedUpload, type ChunkMode, chunkedUpload } from "./chunked-body.ts";
import { byAnswer, type Reply, refusalOf, s3Code, send, sendS3, useGateway } from "./clients.ts";

const gateway = useGateway({ files: { "media/hello.txt": "hello" } });

const body = Buffer.from(Uint8Array.from({ length: 200_001 }, (_, index) => index * 31));
const md5 = createHash("md5").update(body).digest("hex");
const crc = Buffer.from(crc32(body).toString(16).padStart(8, "0"), "hex").toString("base64");
const trailer = ["x-amz-checksum-crc32", crc] as const;

async function upload(
  key: string,
  options: Partial<ChunkedUpload> & { readonly mode: ChunkMode },
  change: (framed: Buffer) => Buffer = (framed) => framed,
): Promise<Reply> {
  const host = `127.0.0.1:${gateway.port}`;
  const path = `/media/${key}`;
  const made = chunkedUpload({ path, host, key: gateway.accessKey, body, ...options });
  const framed = change(made.body);
  const headers = { ...made.headers, "content-length": String(framed.length) };
  return send(gateway, { method: "PUT", target: path, headers, body: framed });
}

const stored = (key: string) => sendS3(gateway, { key, headers: { "x-amz-checksum-mode": "ENABLED" } });

describe("an upload in chunks", () => {
  it.each([
    ["signed", undefined],
    ["signed-trailer", trailer],
    ["unsigned-trailer", trailer],
  ] as const)("that is %s is stored without its framing", async (mode, field) => {
    const reply = await upload(mode, { mode, ...(field === undefined ? {} : { trailer: field }) });
    expect([reply.status, reply.headers.etag]).toEqual([200, `"${md5}"`]);
    if (field !== undefined) expect(reply.headers[field[0]]).toBe(crc);
    const read = await stored(mode);
    expect(read.body.equals(body)).toBe(true);
    expect(read.headers["content-encoding"]).toBe(undefined);
    expect(read.headers["x-amz-checksum-crc32"]).toBe(field === undefined ? undefined : crc);
  });

  it.each(["md5", "sha512"])("may have its %s behind it", async (algorithm) => {
    const value = createHash(algorithm).update(body).digest("base64");
    const field = [`x-amz-checksum-${algorithm}`, value] as const;
    for (const mode of ["signed-trailer", "unsigned-trailer"] as const) {
      const reply = await upload(algorithm, { mode, trailer: field });
      expect([reply.status, reply.headers[field[0]]]).toEqual([200, value]);
      expect((await stored(algorithm)).headers[field[0]]).toBe(value);
      const other = [field[0], createHash(algorithm).update("other").digest("base64")] as const;
      const bad = await upload(`${algorithm}-bad`, { mode, trailer: other });
      expect([bad.status, s3Code(bad.body)]).toEqual([400, "BadDigest"]);
    }
  });

  it("is taken from minio-go, which sends the line feed of the string to sign before the end of the trailer's line", async () => {
    for (const mode of ["signed-trailer", "unsigned-trailer"] as const) {
      const reply = await upload("minio-go", { mode, trailer }, (made) =>
        Buffer.from(
          made.toString("latin1").replace(`${trailer.join(":")}\r\n`, `${trailer.join(":")}\n\r\n`),
          "latin1",
        ),
      );
      expect([reply.status, reply.headers.etag, reply.headers[trailer[0]]]).toEqual([200, `"${md5}"`, crc]);
    }
  });

  it("keeps the codings that belong to the object", async () => {
    const headers = { "content-encoding": "gzip,aws-chunked" };
    expect((await upload("coded", { mode: "signed", headers })).status).toBe(200);
    expect((await stored("coded")).headers["content-encoding"]).toBe("gzip");
  });

  it("may be empty", async () => {
    const empty = ["x-amz-checksum-crc32", "AAAAAA=="] as const;
    const reply = await upload("empty", { mode: "unsigned-trailer", body: Buffer.alloc(0), trailer: empty });
    expect([reply.status, (await stored("empty")).body.length]).toEqual([200, 0]);
  });

  const at = (framed: Buffer, index: number): Buffer => {
    const changed = Buffer.from(framed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    return changed;
  };
  const without = (framed: Buffer, text: RegExp): Buffer =>
    Buffer.from(framed.toString("latin1").replace(text, ""), "latin1");

  const first = 65_536 + 88 + 2;
  const refused = byAnswer<readonly ["signed" | "signed-trailer" | "unsigned-trailer", (framed: Buffer) => Buffer]>({
    "403 SignatureDoesNotMatch": {
      "with a byte changed in its first chunk": ["signed", (framed) => at(framed, 1000)],
      "with a byte changed in its last chunk": ["signed", (framed) => at(framed, framed.length - 200)],
      "with a chunk left out": ["signed", (framed) => framed.subarray(first)],
      "without the trailer's signature": [
        "signed-trailer",
        (framed) => without(framed, /x-amz-trailer-signature[^\r]*\r\n/),
      ],
    },
    "400 IncompleteBody": { "that stops after a chunk": ["signed", (framed) => framed.subarray(0, first)] },
    "400 BadDigest": { "with a byte changed under a trailer": ["unsigned-trailer", (framed) => at(framed, 1000)] },
    "400 MalformedTrailerError": {
      "without its trailer": ["unsigned-trailer", (framed) => without(framed, /x-amz-checksum[^\r]*\r\n/)],
    },
  });
  it.each(refused)("an upload in chunks %s is refused as %s and stores nothing", async (_, answer, [mode, change]) => {
    const reply = await upload("refused", { mode, ...(mode === "signed" ? {} : { trailer }) }, change);
    expect(refusalOf(reply)).toBe(answer);
    expect((await stored("refused")).status).toBe(404);
  });

  it("of another length than it announces is refused", async () => {
    for (const decodedLength of [body.length - 1, body.length + 1]) {
      const reply = await upload("length", { mode: "signed", decodedLength });
      expect([reply.status, s3Code(reply.body)]).toEqual([400, "IncompleteBody"]);
    }
    expect((await stored("length")).status).toBe(404);
  });

  it("of small signed chunks is refused, as at Amazon", async () => {
    const reply = await upload("small", { mode: "signed", chunk: 4096 });
    expect([reply.status, s3Code(reply.body)]).toEqual([403, "InvalidChunkSizeError"]);
  });

  it("is refused where a request has no body to read", async () => {
    const host = `127.0.0.1:${gateway.port}`;
    const path = "/media/hello.txt";
    const made = chunkedUpload({ mode: "signed", path, host, key: gateway.accessKey, body: Buffer.alloc(0) });
    const reply = await send(gateway, {
      method: "PUT",
      target: `${path}?tagging`,
      headers: { ...made.headers, "content-length": String(made.body.length) },
      body: made.body,
    });
    // The query is signed, too.
    expect([reply.status, s3Code(reply.body)]).toEqual([403, "SignatureDoesNotMatch"]);
  });
});
