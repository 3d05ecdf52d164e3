import { createHash, createHmac } from "node:crypto";
import { isDaypassError } from "daypass";
import { type S3HeaderGrant, s3HeaderVerifier } from "daypass/s3/header";
import { describe, expect, it } from "vitest";
import type { WireRequest } from "../../src/index.ts";
import { seeded } from "../tamper/seeded.ts";

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and …/sigv4-streaming-trailers.html: the key, the
// requests and every signature below are Amazon's own.
const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const verifier = s3HeaderVerifier({
  credentials,
  origins: ["https://s3.amazonaws.com"],
  enforces: ["body-chunks"],
  clock: () => new Date("2013-05-24T00:00:00Z"),
});

const A = Buffer.alloc(66_560, "a");
const PLAIN = {
  signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  headers: {
    "content-encoding": "aws-chunked",
    "content-length": "66824",
    host: "s3.amazonaws.com",
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "x-amz-date": "20130524T000000Z",
    "x-amz-decoded-content-length": "66560",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
  },
  chunks: [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
  ],
};
const TRAILER = {
  signature: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
  headers: {
    "content-encoding": "aws-chunked",
    host: "s3.amazonaws.com",
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "x-amz-date": "20130524T000000Z",
    "x-amz-decoded-content-length": "66560",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "x-amz-trailer": "x-amz-checksum-crc32c",
  },
  chunks: [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
  ],
  trailer: "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
};

function request({
  signature,
  headers,
}: Pick<typeof PLAIN, "signature"> & { headers: Record<string, string> }): WireRequest {
  const names = Object.keys(headers).sort().join(";");
  const scope = `${credentials.accessKeyId}/20130524/us-east-1/s3/aws4_request`;
  return {
    method: "PUT",
    target: "/examplebucket/chunkObject.txt",
    authority: "s3.amazonaws.com",
    headers: [
      ...Object.entries(headers),
      ["authorization", `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${names},Signature=${signature}`],
    ],
  };
}

function framed(signatures: readonly string[], end = "\r\n", bytes = A): Buffer {
  const sizes = [65_536, 1024];
  const parts = sizes.map((size, at) => {
    const data = bytes.subarray(at * 65_536, at * 65_536 + size);
    return [`${size.toString(16)};chunk-signature=${signatures[at]}\r\n`, data, "\r\n"];
  });
  return Buffer.concat(
    [...parts.flat(), `0;chunk-signature=${signatures[2]}\r\n`, end].map((part) => Buffer.from(part)),
  );
}

const trailerEnd = (signature = TRAILER.trailer): string =>
  `x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:${signature}\r\n\r\n`;

/** The body in pieces of the sizes that a seeded generator gives, as a socket would. */
async function* pieces(body: Buffer, most: number): AsyncGenerator<Uint8Array> {
  const random = seeded(body.length + most);
  for (let at = 0; at < body.length; ) {
    const size = 1 + random.below(most);
    yield body.subarray(at, at + size);
    at += size;
  }
}

async function open(grant: S3HeaderGrant, body: Buffer, most = 70_000) {
  const { bytes, trailers } = grant.openBody(pieces(body, most));
  const read: Uint8Array[] = [];
  for await (const chunk of bytes) read.push(chunk);
  return { body: Buffer.concat(read), trailers: [...trailers] };
}

async function refusal(grant: S3HeaderGrant, body: Buffer): Promise<string> {
  try {
    await open(grant, body);
    return "accepted";
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return `${error.code} ${error.details["problem"] ?? error.details["part"] ?? ""}`.trim();
  }
}

const grant = (): Promise<S3HeaderGrant> => verifier.verify(request(PLAIN));
const trailerGrant = (): Promise<S3HeaderGrant> => verifier.verify(request(TRAILER));

describe("a body in signed chunks", () => {
  it.each([1, 2, 7, 100, 8192, 70_000])("reads Amazon's example in pieces of up to %s bytes", async (most) => {
    const opened = await open(await grant(), framed(PLAIN.chunks), most);
    expect(opened.body.equals(A)).toBe(true);
    expect(opened.trailers).toEqual([]);
  });

  it("reads Amazon's example with a trailer", async () => {
    const opened = await open(await trailerGrant(), framed(TRAILER.chunks, trailerEnd()));
    expect(opened.body.equals(A)).toBe(true);
    expect(opened.trailers).toEqual([["x-amz-checksum-crc32c", "sOO8/Q=="]]);
  });

  it("accepts a line feed after the trailer, as minio-go sends it", async () => {
    const end = trailerEnd().replace("sOO8/Q==\r\n", "sOO8/Q==\n\r\n");
    const opened = await open(await trailerGrant(), framed(TRAILER.chunks, end), 7);
    expect(opened.body.equals(A)).toBe(true);
    expect(opened.trailers).toEqual([["x-amz-checksum-crc32c", "sOO8/Q=="]]);
    for (const changed of [
      end.replace("==\n\r\n", "==\n\n\r\n"),
      end.replace("==\n\r\n", "==\n"),
      end.replaceAll("\r\n", "\n"),
    ]) {
      expect(await refusal(await trailerGrant(), framed(TRAILER.chunks, changed))).toMatch(
        /^MALFORMED (?:trailers|chunk)$/,
      );
    }
  });

  it("refuses a chunked body unless body-chunks is enforced", async () => {
    const careless = s3HeaderVerifier({
      credentials,
      origins: ["https://s3.amazonaws.com"],
      clock: () => new Date("2013-05-24T00:00:00Z"),
    });
    await expect(careless.verify(request(PLAIN))).rejects.toMatchObject({
      code: "UNENFORCED_CONSTRAINT",
      details: { constraint: "body-chunks" },
    });
    expect((await grant()).obligations).toEqual([{ kind: "body-chunks", length: 66_560, trailers: [] }]);
  });

  it("refuses one changed byte in each chunk", async () => {
    for (const at of [0, 65_535, 65_536, 66_559]) {
      const bytes = Buffer.from(A);
      bytes[at] = 98;
      expect(await refusal(await grant(), framed(PLAIN.chunks, "\r\n", bytes))).toBe("SIGNATURE_MISMATCH chunk");
    }
  });

  it("refuses a foreign, missing or repeated signature", async () => {
    const [first = "", second = "", last = ""] = PLAIN.chunks;
    const zero = "0".repeat(64);
    for (const signatures of [
      [zero, second, last],
      [first, zero, last],
      [first, second, zero],
      [second, first, last],
      [first, first, last],
    ]) {
      expect(await refusal(await grant(), framed(signatures))).toBe("SIGNATURE_MISMATCH chunk");
    }
    const unsigned = Buffer.from(
      framed(PLAIN.chunks).toString("latin1").replace(`;chunk-signature=${last}`, ""),
      "latin1",
    );
    expect(await refusal(await grant(), unsigned)).toBe("MALFORMED chunk");
  });

  it("refuses a truncated body at any place", async () => {
    const whole = framed(PLAIN.chunks);
    for (const end of [
      0,
      5,
      80,
      90,
      60_000,
      65_622,
      whole.length - 90,
      whole.length - 40,
      whole.length - 2,
      whole.length - 1,
    ]) {
      expect(await refusal(await grant(), whole.subarray(0, end))).toMatch(/^(?:MALFORMED chunk|BODY_LENGTH chunks)$/);
    }
  });

  it("refuses bytes after the last chunk, and an unannounced trailer", async () => {
    expect(await refusal(await grant(), Buffer.concat([framed(PLAIN.chunks), Buffer.from("x")]))).toBe(
      "MALFORMED chunk",
    );
    expect(await refusal(await grant(), framed(PLAIN.chunks, "x-amz-meta-a:1\r\n\r\n"))).toBe("MALFORMED trailers");
  });

  it("refuses a changed, missing, repeated or renamed trailer", async () => {
    const end = trailerEnd();
    for (const [changed, expected] of [
      [end.replace("sOO8", "sOO9"), "SIGNATURE_MISMATCH chunk"],
      [trailerEnd("0".repeat(64)), "SIGNATURE_MISMATCH chunk"],
      [end.replace(/x-amz-trailer-signature.*\r\n\r\n/, "\r\n"), "SIGNATURE_MISMATCH chunk"],
      [end.replace(/^x-amz-checksum.*\r\n/, ""), "MALFORMED trailers"],
      [end.replace("x-amz-checksum-crc32c:", "x-amz-checksum-sha1:"), "MALFORMED trailers"],
      [`x-amz-checksum-crc32c:sOO8/Q==\r\n${end}`, "MALFORMED trailers"],
    ] as const) {
      expect(await refusal(await trailerGrant(), framed(TRAILER.chunks, changed))).toBe(expected);
    }
  });

  it("never grows in memory for a line that does not end", async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 64;
        yield Buffer.alloc(64, "f");
      }
    }
    const { bytes } = (await grant()).openBody(endless());
    await expect(bytes[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "MALFORMED" });
    expect(sent).toBeLessThan(1024);
  });
});

describe("a body in unsigned chunks with a trailer", () => {
  const secret = "another-secret";
  const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: secret };
  const at = new Date("2026-01-02T03:04:05Z");
  const own = s3HeaderVerifier({
    credentials: key,
    origins: ["https://s3.example.com"],
    enforces: ["body-chunks"],
    clock: () => at,
  });
  const headers = {
    "content-encoding": "aws-chunked",
    host: "s3.example.com",
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-date": "20260102T030405Z",
    "x-amz-decoded-content-length": "11",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };

  /** Signed here by the page, step by step, with Node's own HMAC. */
  const signed = (fields: Readonly<Record<string, string>> = headers): WireRequest => {
    const names = Object.keys(fields).sort();
    const canonical = [
      "PUT",
      "/media/a.txt",
      "",
      ...names.map((name) => `${name}:${fields[name]}`),
      "",
      names.join(";"),
      fields["x-amz-content-sha256"],
    ].join("\n");
    const scope = "20260102/us-east-1/s3/aws4_request";
    const hash = createHash("sha256").update(canonical).digest("hex");
    const derived = scope
      .split("/")
      .reduce((last, part) => createHmac("sha256", last).update(part).digest(), Buffer.from(`AWS4${secret}`));
    const signature = createHmac("sha256", derived)
      .update(`AWS4-HMAC-SHA256\n20260102T030405Z\n${scope}\n${hash}`)
      .digest("hex");
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
    return {
      method: "PUT",
      target: "/media/a.txt",
      authority: "s3.example.com",
      headers: [...Object.entries(fields), ["authorization", authorization]],
    };
  };

  it("gives its bytes and the trailer", async () => {
    const body = Buffer.from("6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n");
    for (const most of [1, 3, 100]) {
      const opened = await open(await own.verify(signed()), body, most);
      expect([opened.body.toString(), opened.trailers]).toEqual([
        "hello world",
        [["x-amz-checksum-crc32", "DUoRhQ=="]],
      ]);
    }
  });

  it("accepts short unsigned chunks, and refuses short signed chunks, which cost two hashes each", async () => {
    const { "x-amz-trailer": _, ...rest } = headers;
    const request = signed({ ...rest, "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" });
    const scope = "20260102/us-east-1/s3/aws4_request";
    const derived = scope
      .split("/")
      .reduce((last, part) => createHmac("sha256", last).update(part).digest(), Buffer.from(`AWS4${secret}`));
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
    let previous = request.headers.at(-1)?.[1].slice(-64) ?? "";
    const frame = (text: string): string => {
      const lines = ["AWS4-HMAC-SHA256-PAYLOAD", "20260102T030405Z", scope, previous, hash(""), hash(text)];
      previous = createHmac("sha256", derived).update(lines.join("\n")).digest("hex");
      return `${text.length.toString(16)};chunk-signature=${previous}\r\n${text}\r\n`;
    };
    const one = ["hello world", ""].map(frame).join("");
    expect((await open(await own.verify(request), Buffer.from(one))).body.toString()).toBe("hello world");
    previous = request.headers.at(-1)?.[1].slice(-64) ?? "";
    const two = ["hello ", "world", ""].map(frame).join("");
    expect(await refusal(await own.verify(request), Buffer.from(two))).toBe("MALFORMED chunk-size");
  });

  it("never grows in memory for a trailer that does not end", async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("b\r\nhello world\r\n0\r\n");
      for (;;) {
        sent += 64;
        yield Buffer.alloc(64, "f");
      }
    }
    const { bytes } = (await own.verify(signed())).openBody(endless());
    const readAll = async (): Promise<void> => {
      for await (const _ of bytes);
    };
    await expect(readAll()).rejects.toMatchObject({ code: "MALFORMED" });
    expect(sent).toBeLessThan(1024);
  });

  it.each([
    ["a longer body", "c\r\nhello world!\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "BODY_LENGTH chunks"],
    ["a shorter body", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "BODY_LENGTH chunks"],
    ["no trailer", "b\r\nhello world\r\n0\r\n\r\n", "MALFORMED trailers"],
    ["a chunk signature", `b;chunk-signature=${"0".repeat(64)}\r\nhello world\r\n0\r\n\r\n`, "MALFORMED chunk"],
    ["a chunk extension", "b;a=b\r\nhello world\r\n0\r\n\r\n", "MALFORMED chunk"],
    ["a negative size", "-1\r\n", "MALFORMED chunk"],
    ["a size beyond all numbers", "ffffffffffffffff\r\n", "MALFORMED chunk"],
    ["bare line feeds", "b\nhello world\n0\n\n", "MALFORMED chunk"],
    [
      "a line feed behind a size",
      "b\n\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
      "MALFORMED chunk",
    ],
    [
      "a line feed behind a chunk",
      "b\r\nhello world\n\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
      "MALFORMED chunk",
    ],
    [
      "a line feed before its end",
      "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\n\r\n",
      "MALFORMED trailers",
    ],
  ])("is refused with %s", async (_, body, expected) => {
    expect(await refusal(await own.verify(signed()), Buffer.from(body))).toBe(expected);
  });

  it.each([
    [{ "x-amz-decoded-content-length": "-1" }],
    [{ "x-amz-decoded-content-length": "1e3" }],
    [{ "x-amz-trailer": "x-amz-meta-a" }],
    [{ "x-amz-trailer": "x-amz-checksum-crc32,x-amz-checksum-crc32" }],
    [{ "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" }],
  ])("refuses a body announced with %j", async (changed) => {
    await expect(own.verify(signed({ ...headers, ...changed }))).rejects.toMatchObject({ code: "MALFORMED" });
  });

  it("refuses chunks that SigV4A signs", async () => {
    const changed = { ...headers, "x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD" };
    await expect(own.verify(signed(changed))).rejects.toMatchObject({ code: "UNSUPPORTED_PAYLOAD" });
  });
});

describe("the headers of a body in chunks", () => {
  const without = (name: string): Record<string, string> =>
    Object.fromEntries(Object.entries(PLAIN.headers).filter(([other]) => other !== name));

  it("cannot be changed after signing: mode, length and trailer are signed", async () => {
    for (const headers of [
      { ...PLAIN.headers, "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" },
      { ...PLAIN.headers, "x-amz-decoded-content-length": "66561" },
      without("x-amz-decoded-content-length"),
      { ...PLAIN.headers, "x-amz-trailer": "x-amz-checksum-crc32" },
    ]) {
      await expect(verifier.verify(request({ ...PLAIN, headers }))).rejects.toMatchObject({
        code: "SIGNATURE_MISMATCH",
      });
    }
  });
});
