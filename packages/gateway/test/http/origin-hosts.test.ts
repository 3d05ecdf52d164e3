import { expect, it } from "vitest";
import { isHostOf } from "../../src/index.ts";

const origins = ["https://files.example.com", "http://127.0.0.1:8080", "https://*.s3.example.com:9000"];

it.each([
  "files.example.com",
  "FILES.example.com",
  "127.0.0.1:8080",
  "a.s3.example.com:9000",
  "a_b.c.s3.example.com:9000",
])("accepts %s as the host of an origin", (host) => {
  expect(isHostOf(origins, host)).toBe(true);
});

it.each([
  ...["", "example.com", "files.example.com:443", "127.0.0.1", "https://files.example.com"],
  ...[
    "s3.example.com:9000",
    ".s3.example.com:9000",
    "a..s3.example.com:9000",
    "a/b.s3.example.com:9000",
    "*.s3.example.com:9000",
    "a.s3.example.com:9000.evil.example",
  ],
])("refuses %j as the host of an origin", (host) => {
  expect(isHostOf(origins, host)).toBe(false);
});
