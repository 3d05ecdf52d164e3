import aws4 from "aws4";
import { amzDate } from "../sigv4.ts";
import { firstOfEach, type Oracle, protoUnsigned, unsignedUrl, wishedUrl } from "./oracle.ts";

export const aws4Oracle: Oracle = {
  name: "aws4",
  version: "1.13.2",
  narrow: (wish) => wish,
  async sign(wish) {
    const { protocol, host } = wishedUrl(wish);
    // Date and expiry are given as parameters: there is no other way to set them.
    const url = unsignedUrl({
      ...wish,
      query: [...wish.query, ["X-Amz-Date", amzDate(wish.signedAt)], ["X-Amz-Expires", String(wish.expiresIn)]],
    });
    const path = url.slice(`${protocol}//${host}`.length);
    const { method, region, headers, credentials } = wish;
    const signed = aws4.sign(
      { method, service: "s3", region, path, signQuery: true, headers: { ...headers, host } },
      credentials,
    );
    return `${protocol}//${host}${signed.path}`;
  },
  deviations: [
    {
      name: "a parameter that repeats: only its first value is signed",
      applies: (_, { signed }) => firstOfEach(signed.query).length < signed.query.length,
      instead: (draft) => ({ ...draft, signed: { ...draft.signed, query: firstOfEach(draft.signed.query) } }),
    },
    protoUnsigned,
    {
      name: "a signed `x-amz-content-sha256` header: the payload line stays UNSIGNED-PAYLOAD",
      applies: ({ headers }) => headers["x-amz-content-sha256"] !== undefined,
      instead: (draft) => ({ ...draft, signed: { ...draft.signed, payload: "UNSIGNED-PAYLOAD" } }),
    },
  ],
};
