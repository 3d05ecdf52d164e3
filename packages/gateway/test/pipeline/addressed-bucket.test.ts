import { expect, it } from "vitest";
import { virtualBucket } from "../../src/pipeline/addressed-bucket.ts";

it("returns no bucket for the host of an origin, with its default port", () => {
  const bucketOf = virtualBucket(["https://a.example", "http://b.example", "https://c.example:8443"]);
  const hosts = ["a.example", "A.example:443", "b.example", "b.example:80", "c.example:8443"];
  expect(hosts.map(bucketOf)).toEqual(hosts.map(() => ""));
  for (const host of ["a.example:80", "b.example:443", "c.example", "c.example:443", "x.a.example", "aa.example"])
    expect([host, bucketOf(host)]).toEqual([host, undefined]);
});

it("returns the bucket before the longest matching wildcard", () => {
  const bucketOf = virtualBucket(["https://*.example", "https://*.s3.example", "http://*.plain.test"]);
  expect(["media.example", "media.example:443", "media.s3.example", "a.b.example"].map(bucketOf)).toEqual([
    "media",
    "media",
    "media",
    "a.b",
  ]);
  expect(["media.plain.test", "media.plain.test:80"].map(bucketOf)).toEqual(["media", "media"]);
  for (const host of [".example", "example", "media.plain.test:443", "media.example:80", "media.other", ""])
    expect([host, bucketOf(host)]).toEqual([host, undefined]);
});
