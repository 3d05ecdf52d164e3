import { explain } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { expect, it } from "vitest";
import { s3Error } from "../../src/protocols/s3/errors.ts";
import { errorBody } from "../../src/protocols/s3/refuse.ts";

const { url } = s3Signer({
  region: "us-east-1",
  endpoint: "https://files.example.com",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
}).sign({ bucket: "media", key: "a.txt", expiresIn: 900 });

// S3 has no text for these, so the tables of `explain` do not contain them.
it.each([
  ["WRONG_ORIGIN", "HOST"],
  ["READ_ONLY", "SERVER"],
  ["REDIRECT_REFUSED", "FIELD"],
] as const)("explain understands how the gateway says %s", async (code, cause) => {
  const { code: said, message } = s3Error(code, {});
  const body = errorBody([
    ["Code", said],
    ["Message", message],
  ]);
  const { cause: found } = await explain(url, { errorBody: body });
  expect([found?.code, found?.fix]).toEqual([
    cause,
    expect.stringMatching(/publicUrl|write permission|redirectOrigins/),
  ]);
});
