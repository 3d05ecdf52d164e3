import { expect, it } from "vitest";
import { virtualBucket } from "../../src/pipeline/addressed-bucket.ts";

it("a host names a bucket by the origins alone, with the port that is usual for each and no other", () => {
  const bucketOf = virtualBucket(["https://a.example", "http://b.example", "https://c.example:8443"]);
  const hosts = ["a.example", "A.example:443", "b.example", "b.example:80", "c.example:8443"];
  expect(hosts.map(bucketOf)).toEqual(hosts.map(() => ""));
  for (const host of ["a.example:80", "b.example:443", "c.example", "c.example:443", "x.a.example", "aa.example"])
    expect([host, bucketOf(host)]).toEqual([host, undefined]);
});

it("a host below a wildcard names the bucket in front of the longest one that fits, and none where nothing is in front", () => {
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
