import { AwsClient } from "aws4fetch";
import { amzDate } from "../sigv4.ts";
import { decodeToken } from "../url-parts.ts";
import { type Draft, firstOfEach, type Oracle, unsignedUrl } from "./oracle.ts";

export const aws4fetchOracle: Oracle = {
  name: "aws4fetch",
  version: "1.0.20",
  narrow: (wish) => wish,
  async sign(wish) {
    const client = new AwsClient({ ...wish.credentials, service: "s3", region: wish.region });
    const url = unsignedUrl({ ...wish, query: [...wish.query, ["X-Amz-Expires", String(wish.expiresIn)]] });
    const { url: signed } = await client.sign(url, {
      method: wish.method,
      headers: wish.headers,
      aws: { signQuery: true, allHeaders: true, datetime: amzDate(wish.signedAt) },
    });
    return signed;
  },
  deviations: [
    {
      name: "a key with `.` or `..` segments: another object is signed",
      applies: (_, draft) => collapsed(draft) !== draft.path,
      instead: (draft) => ({
        ...draft,
        path: collapsed(draft),
        signed: { ...draft.signed, path: decodeURIComponent(collapsed(draft)) },
      }),
    },
    {
      name: "a parameter that repeats: only its first value is signed",
      applies: (_, { signed }) => firstOfEach(signed.query).length < signed.query.length,
      instead: (draft) => ({ ...draft, signed: { ...draft.signed, query: firstOfEach(draft.signed.query) } }),
    },
    {
      name: "a parameter with a space or one of `~*`: spelled as a form does (`+`, `%7E`, `*`), signed as SigV4 does",
      applies: (_, { tokens }) => tokens.some((token) => formSpelling(token) !== token),
      instead: (draft) => ({ ...draft, tokens: draft.tokens.map(formSpelling) }),
    },
  ],
};

// What the URL parser, and with it the client, takes the path for.
function collapsed({ origin, path }: Draft): string {
  return new URL(`${origin}${path}`).pathname;
}

function formSpelling(token: string): string {
  return new URLSearchParams([[...decodeToken(token)]]).toString();
}
