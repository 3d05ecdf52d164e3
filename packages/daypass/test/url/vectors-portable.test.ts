import { describe, expect, it, vi } from "vitest";
import { hmacSha256 } from "#crypto";
import * as portable from "../../src/crypto/portable.ts";
import { testVectors } from "./vector-suite.ts";

vi.mock("#crypto", () => import("../../src/crypto/portable.ts"));

describe("the vectors of the specification, with @noble/hashes and WebCrypto", () => {
  it("runs on the portable build", () => {
    expect(hmacSha256).toBe(portable.hmacSha256);
  });
  testVectors();
});
