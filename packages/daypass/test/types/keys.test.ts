import { describe, expectTypeOf, it } from "vitest";
import type { KeyResolver } from "../../src/index.ts";
import { type S3Credentials, s3Verifier } from "../../src/schemes/s3/index.ts";
import { type UrlKey, urlVerifier } from "../../src/schemes/url/index.ts";

interface Row {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly owner: number;
}

// The type check compiles these tests. Running them only shows that they exist.
describe("the type of a function that finds keys", () => {
  const origins = ["https://api.example.com"];

  it("fits what databases return for a key that they do not have", () => {
    s3Verifier({ credentials: async (): Promise<Row | null> => null, origins });
    s3Verifier({ credentials: (): Row | undefined => undefined, origins });
    urlVerifier({ keys: async (): Promise<UrlKey | null> => null, origins });
    expectTypeOf<(id: string) => Promise<readonly Row[] | null>>().toExtend<KeyResolver<S3Credentials>>();
  });

  it("refuses a function that returns something else than a key", () => {
    // @ts-expect-error: a row without a secret
    s3Verifier({ credentials: async () => ({ accessKeyId: "a" }), origins });
  });
});
