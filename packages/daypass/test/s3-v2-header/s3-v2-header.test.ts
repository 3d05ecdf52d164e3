import { createHmac } from "node:crypto";
import { isDaypassError, type WireRequest } from "daypass";
import { s3V2HeaderTexts, s3V2HeaderVerifier } from "daypass/s3/v2/header";
import { describe, expect, it } from "vitest";

// "Authentication examples" of https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const examples = [
  [
    "object GET",
    "GET",
    "awsexamplebucket1",
    "/photos/puppy.jpg",
    "Tue, 27 Mar 2007 19:36:42 +0000",
    "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=",
    {},
  ],
  [
    "object GET, older",
    "GET",
    "johnsmith",
    "/photos/puppy.jpg",
    "Tue, 27 Mar 2007 19:36:42 +0000",
    "bWq2s1WEIj+Ydj0vQ697zp+IXMU=",
    {},
  ],
  [
    "object PUT",
    "PUT",
    "johnsmith",
    "/photos/puppy.jpg",
    "Tue, 27 Mar 2007 21:15:45 +0000",
    "MyyxeRY7whkBe+bq8fHCL/2kKUg=",
    { "Content-Type": "image/jpeg", "Content-Length": "94328" },
  ],
  [
    "list",
    "GET",
    "johnsmith",
    "/?prefix=photos&max-keys=50&marker=puppy",
    "Tue, 27 Mar 2007 19:42:41 +0000",
    "htDYFYduRNen8P9ZfE/s9SuKy0U=",
    {},
  ],
  ["fetch", "GET", "johnsmith", "/?acl", "Tue, 27 Mar 2007 19:44:46 +0000", "c2WLPFtWHVgbEmeEG93a4cG37dM=", {}],
  ["list all my buckets", "GET", "", "/", "Wed, 28 Mar 2007 01:29:59 +0000", "qGdzdERIC03wnaRNKh6OqZehG9s=", {}],
  [
    "Unicode keys",
    "GET",
    "",
    "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re",
    "Wed, 28 Mar 2007 01:49:49 +0000",
    "DNEZGsoieTZ92F3bUfSPQcbGmlM=",
    {},
  ],
  [
    "upload",
    "PUT",
    "static.johnsmith.net",
    "/db-backup.dat.gz",
    "Tue, 27 Mar 2007 21:06:08 +0000",
    "ilyl83RwaSoYIEdixDQcA4OnAnc=",
    {
      "x-amz-acl": "public-read",
      "content-type": "application/x-download",
      "Content-MD5": "4gJE4saaMU4BqNR0kLY+lw==",
      "X-Amz-Meta-ReviewedBy": "joe@johnsmith.net,jane@johnsmith.net",
      "X-Amz-Meta-FileChecksum": "0x02661779",
      "X-Amz-Meta-ChecksumAlgorithm": "crc32",
      "Content-Disposition": "attachment; filename=database.dat",
      "Content-Encoding": "gzip",
      "Content-Length": "5913339",
    },
  ],
] as const satisfies readonly (readonly [string, string, string, string, string, string, Record<string, string>])[];

type Example = (typeof examples)[number];

function request([, method, bucket, target, date, signature, headers]: Example): WireRequest {
  const authority = bucket === "" ? "s3.us-west-1.amazonaws.com" : `${bucket}.s3.us-west-1.amazonaws.com`;
  return {
    method,
    target,
    authority,
    headers: [
      ["Host", authority],
      ["Date", date],
      ...Object.entries(headers),
      ["Authorization", `AWS ${credentials.accessKeyId}:${signature}`],
    ],
  };
}

function verifierAt(now: string, secretAccessKey = credentials.secretAccessKey) {
  return s3V2HeaderVerifier({
    credentials: { ...credentials, secretAccessKey },
    origins: ["https://s3.us-west-1.amazonaws.com", "https://*.s3.us-west-1.amazonaws.com"],
    enforces: ["body-checksum"],
    clock: () => new Date(now),
  });
}

async function outcome(changed: WireRequest, now: string): Promise<string> {
  try {
    await verifierAt(now).verify(changed);
    return "accepted";
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return error.code;
  }
}

const [get, , , list] = examples;
const NOW = "2007-03-27T19:36:42Z";
const put = (original: WireRequest, name: string, value: string | undefined): WireRequest => ({
  ...original,
  headers: [
    ...original.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase()),
    ...(value === undefined ? [] : [[name, value] as const]),
  ],
});

describe("a request with SigV2 in its Authorization header", () => {
  it.each(examples)("verifies Amazon's example: %s", async (...example) => {
    const now = new Date(example[4]).toISOString();
    const signed = request(example as Example);
    const grant = await verifierAt(now).verify(signed);
    expect(grant).toMatchObject({ scheme: "s3/v2/header", keyId: credentials.accessKeyId, methods: [example[1]] });
    if (example[2] !== "") expect(grant.bucket).toBe(example[2]);
    expect(s3V2HeaderTexts(signed, example[2]).stringToSign.split("\n")[0]).toBe(example[1]);
    await expect(verifierAt(now, "another").verify(signed)).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
  });

  it("gives one grant for a bucket, whether it was signed with the slash behind its name or without", async () => {
    const [date, authority] = ["Tue, 27 Mar 2007 19:36:42 +0000", "s3.us-west-1.amazonaws.com"];
    const signed = (resource: string, target: string): WireRequest => {
      const text = `GET\n\n\n${date}\n${resource}`;
      const signature = createHmac("sha1", credentials.secretAccessKey).update(text).digest("base64");
      const authorization = `AWS ${credentials.accessKeyId}:${signature}`;
      return {
        method: "GET",
        target,
        authority,
        headers: [
          ["Date", date],
          ["Authorization", authorization],
        ],
      };
    };
    const grants = [];
    for (const target of ["/johnsmith?acl", "/johnsmith/?acl"]) {
      for (const resource of ["/johnsmith?acl", "/johnsmith/?acl"]) {
        grants.push(await verifierAt(NOW).verify(signed(resource, target)));
      }
    }
    expect(new Set(grants.map(({ id }) => id)).size).toBe(1);
    expect(grants.map(({ bucket, key }) => [bucket, key])).toEqual(Array(4).fill(["johnsmith", undefined]));
  });

  it("refuses a changed method, key, bucket, date, type or x-amz-* header", async () => {
    const signed = request(get);
    for (const changed of [
      { ...signed, method: "PUT" },
      { ...signed, target: "/photos/kitten.jpg" },
      { ...signed, authority: "johnsmith.s3.us-west-1.amazonaws.com" },
      { ...signed, target: "/photos/puppy.jpg?acl" },
      put(signed, "Date", "Tue, 27 Mar 2007 19:36:43 +0000"),
      put(signed, "Content-Type", "text/html"),
      put(signed, "Content-MD5", "4gJE4saaMU4BqNR0kLY+lw=="),
      put(signed, "x-amz-acl", "public-read"),
      put(signed, "x-amz-copy-source", "/other/key"),
    ]) {
      expect(await outcome(changed, NOW)).toBe("SIGNATURE_MISMATCH");
    }
  });

  it("accepts a request within a quarter of an hour around its date", async () => {
    const signed = request(get);
    expect(await outcome(signed, "2007-03-27T19:51:41Z")).toBe("accepted");
    expect(await outcome(signed, "2007-03-27T19:51:42Z")).toBe("CLOCK_SKEW");
    expect(await outcome(signed, "2007-03-27T19:21:42Z")).toBe("accepted");
    expect(await outcome(signed, "2007-03-27T19:21:41Z")).toBe("CLOCK_SKEW");
  });

  it.each([
    ["", "MALFORMED"],
    ["Tue, 31 Feb 2007 19:36:42 +0000", "MALFORMED"],
    ["Mon, 27 Mar 2007 19:36:42 +0000", "SIGNATURE_MISMATCH"],
    ["Tue, 27 Mar 2007 19:36:42 -0500", "MALFORMED"],
    ["2007-03-27T19:36:42Z", "MALFORMED"],
    ["Tue, 27 Mar 2007 19:36:42 GMT", "SIGNATURE_MISMATCH"],
  ])("with the date %j is %s", async (date, expected) => {
    expect(await outcome(put(request(get), "Date", date), NOW)).toBe(expected);
  });

  it("refuses an empty x-amz-date", async () => {
    expect(await outcome(put(request(get), "x-amz-date", ""), NOW)).toBe("MALFORMED");
  });

  it("refuses another form of signature, two signatures, and a second one in the query", async () => {
    const signed = request(get);
    const id = credentials.accessKeyId;
    for (const value of [`AWS ${id}`, `AWS ${id}:`, `AWS ${id}:qgk2+6Sv9/oM7G3qLEjTH1a1l1g=x`]) {
      expect(await outcome(put(signed, "Authorization", value), NOW)).toBe("MALFORMED");
    }
    const twice = {
      ...signed,
      headers: [...signed.headers, ["authorization", `AWS ${id}:qgk2+6Sv9/oM7G3qLEjTH1a1l1g=`] as const],
    };
    expect(await outcome(twice, NOW)).toBe("MALFORMED");
    for (const query of ["AWSAccessKeyId=a", "X-Amz-Signature=a"]) {
      expect(await outcome({ ...signed, target: `/photos/puppy.jpg?${query}` }, NOW)).toBe("AMBIGUOUS_AUTHENTICATION");
    }
  });

  it("accepts unsigned parameters of a listing and no others", async () => {
    const now = "2007-03-27T19:42:41Z";
    const { parameters } = await verifierAt(now).verify(request(list));
    expect(parameters).toEqual([
      ["prefix", "photos"],
      ["max-keys", "50"],
      ["marker", "puppy"],
    ]);
    for (const extra of ["x=1", "X-Amz-Acl=public-read", "replicate"]) {
      expect(await outcome({ ...request(list), target: `${list[3]}&${extra}` }, now)).toBe("UNSIGNED_PARAMETER");
    }
    expect(await outcome({ ...request(list), target: `${list[3]}&prefix=b` }, now)).toBe("MALFORMED");
  });

  it("takes the time from x-amz-date, and then signs no Date", async () => {
    const signed = put(request(get), "x-amz-date", "Tue, 27 Mar 2007 19:36:42 +0000");
    expect(s3V2HeaderTexts(signed, "b").stringToSign).toBe(
      "GET\n\n\n\nx-amz-date:Tue, 27 Mar 2007 19:36:42 +0000\n/b/photos/puppy.jpg",
    );
  });
});
